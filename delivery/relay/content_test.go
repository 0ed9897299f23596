package relay

import (
	"slices"
	"strings"
	"testing"

	"lmtpd/delivery/spool"
	"lmtpd/protocol/client"
)

// Octets arrive as they are in the spool, dots and NUL too (RFC 5321 §4.5.2), but for what is half a line end: a server that takes it
// for a whole one must not find commands behind it (RFC 5321 §2.3.8).
func TestContent(t *testing.T) {
	f := &fake{}
	r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a")}}}, Dial: network{"a:25": f}.dial(t)})
	long := strings.Repeat("x", 32<<10-1)
	var want []string
	for _, s := range []struct{ in, out string }{
		{text, text},
		{"\r\n..\r\n.\r\n\xff\x00\r\n", "\r\n..\r\n.\r\n\xff\x00\r\n"},
		{"bare\nlf\r\n", "bare\r\nlf\r\n"},
		{"a\n.\r\nMAIL FROM:<>\r\n", "a\r\n.\r\nMAIL FROM:<>\r\n"},
		{"a\n.\nMAIL FROM:<>\r\n", "a\r\n.\r\nMAIL FROM:<>\r\n"},
		{"a\r.\r\nMAIL FROM:<>\r\n", "a .\r\nMAIL FROM:<>\r\n"},
		{"a\r.\rMAIL FROM:<>\r\n", "a . MAIL FROM:<>\r\n"},
		{"a\r\r\nb\r", "a \r\nb \r\n"},
		{long + "\r\nb\r\n", long + "\r\nb\r\n"},
		{long + "\rb\r\n", long + " b\r\n"},
	} {
		m := letter("ann")
		m.Content = content(s.in)
		if outcomes, err := r.Attempt(t.Context(), "smtp://a:25", m); err != nil || outcomes[0].Fate != spool.Relayed {
			t.Errorf("%q, %v", told(outcomes), err)
		}
		want = append(want, s.out)
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
