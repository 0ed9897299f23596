package relay

import (
	"slices"
	"testing"

	"lmtpd/delivery/spool"
	"lmtpd/protocol/client"
)

// Octets arrive as they are in the spool: dots, bare line ends and NUL too (RFC 5321 §4.5.2).
func TestContent(t *testing.T) {
	f := &fake{}
	r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a")}}}, Dial: network{"a:25": f}.dial(t)})
	want := []string{text, "\r\n..\r\n.\r\n\xff\x00\r\n", "bare\nlf\r\n"}
	for _, s := range want {
		m := letter("ann")
		m.Content = content(s)
		if outcomes, err := r.Attempt(t.Context(), "smtp://a:25", m); err != nil || outcomes[0].Fate != spool.Relayed {
			t.Errorf("%q, %v", told(outcomes), err)
		}
	}
	if !slices.Equal(f.content, want) {
		t.Errorf("%q, want %q", f.content, want)
	}
}

// A message that cannot be read from the spool waits for a better time, and nobody gets half of it.
func TestContentFails(t *testing.T) {
	f := &fake{}
	r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a")}}}, Dial: network{"a:25": f}.dial(t)})
	m := letter("ann", "bob")
	m.Content = broken{}
	outcomes, err := r.Attempt(t.Context(), "smtp://a:25", m)
	if got := told(outcomes); err != nil || !slices.Equal(got, []string{"deferred", "deferred"}) || len(f.content) != 0 {
		t.Errorf("%q, %v; %d were taken", got, err, len(f.content))
	}
}
