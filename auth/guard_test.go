package auth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
)

// A client that leaves when it is told of its failure, and not after it has answered that, has failed all the same.
func TestGuardParting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		ch := auth.Channel{Session: "S1", Peer: netip.MustParseAddr("192.0.2.9"), Secured: true}
		for i := range 12 {
			e := d.Begin("OAUTHBEARER", ch)
			c, _, err := e.Next(t.Context(), []byte("n,a=tim,\x01auth=Bearer token-ann\x01\x01"))
			if string(c) != invalidToken || err != nil {
				t.Fatalf("%q, %v", c, err)
			}
			if lines := strings.Count(d.log.String(), "authentication failed"); lines != i+1 {
				t.Errorf("%d failures are logged of %d", lines, i+1)
			}
			if i == 0 {
				if _, _, err := e.Next(t.Context(), []byte("\x01")); !errors.Is(err, auth.ErrCredentials) {
					t.Errorf("the client's answer: %v", err)
				}
			}
		}
		if _, _, err := d.Begin("OAUTHBEARER", ch).Next(t.Context(), nil); !isBanned(err) {
			t.Errorf("after twelve failures: %v", err)
		}
	})
}

// A server's proof is one of the password too: it is not sent to who is banned.
func TestGuardSCRAM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := door{auth.Guard(newServer("server"), auth.NewThrottle(time.Now, nil), slog.New(slog.DiscardHandler)), nil}
		ch := auth.Channel{Peer: netip.MustParseAddr("203.0.113.1"), Secured: true}
		client := scramClient{"n,,", "user", "pencil", ""}
		if account, err := client.run(t, d.Begin("SCRAM-SHA-1", ch), nil); account != "user" {
			t.Fatal(err)
		}
		ch.Peer = netip.MustParseAddr("203.0.113.2")
		account, err := client.run(t, d.Begin("SCRAM-SHA-1", ch), func(final string) string {
			for i := range 100 {
				d.try(fmt.Sprintf("192.0.2.%d", i), "user", "wrong")
			}
			return final
		})
		if account != "" || !isBanned(err) {
			t.Errorf("%q, %v", account, err)
		}
	})
}

// One line for each exchange, without secrets.
func TestGuardLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		d.try("192.0.2.9", "ann\" peer=127.0.0.1", "hunter2")
		d.try("192.0.2.9", "ann", "secret")
		d.try("unix", "later", "hunter2")
		want := []string{
			`level=WARN msg="authentication failed" session=S1 peer=192.0.2.9 mechanism=PLAIN user="ann\" peer=127.0.0.1" cause="authentication credentials invalid"`,
			`level=INFO msg=authenticated session=S1 peer=192.0.2.9 mechanism=PLAIN user=ann account=ann`,
			`level=ERROR msg="authentication could not be decided" session=S1 peer=unix mechanism=PLAIN user=later cause="accounts are out of reach"`,
		}
		lines := strings.Split(strings.TrimSpace(d.log.String()), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%q", lines)
		}
		stamp := regexp.MustCompile(`^time=\S+ `)
		for i, line := range lines {
			if got := stamp.ReplaceAllString(line, ""); got != want[i] {
				t.Errorf("line %d:\n%s\n%s", i+1, got, want[i])
			}
		}
	})
}
