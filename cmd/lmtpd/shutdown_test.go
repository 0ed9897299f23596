package main_test

import (
	"strings"
	"syscall"
	"testing"
)

// SIGTERM lets the session that is inside a message finish and hear 250; those that wait hear 421, and so does it
// afterwards. Then the daemon ends with 0.
func TestTerminate(t *testing.T) {
	d := startDaemon(t)
	fresh, idle := dial(t, "unix", d.socket), dial(t, "tcp", d.port).lhlo()
	begun := dial(t, "unix", d.socket).lhlo()
	begun.say(250, "MAIL FROM:<sender@example.net>")
	busy := dial(t, "unix", d.socket).lhlo()
	busy.say(250, "MAIL FROM:<sender@example.net>")
	busy.say(250, "RCPT TO:<ann@example.org>")
	busy.say(250, "RCPT TO:<ben@example.org>")
	busy.say(354, "DATA")
	body := letter("last", 100_000)
	half := len(body) / 2
	if _, err := busy.W.Write(stuffed(body[:half])); err != nil {
		t.Fatal(err)
	}
	busy.W.Flush()

	d.signal(t, syscall.SIGTERM)
	for _, waiting := range []dialogue{fresh, idle, begun} {
		if text := waiting.reply(421); !strings.HasPrefix(text, "4.3.2 ") {
			t.Errorf("421 %s, want 4.3.2", text)
		}
		waiting.ended()
	}
	if len(temporaries(t, d.root))+len(visible(t, d.root)) != 0 {
		t.Error("half a message is in a mailbox")
	}
	busy.W.Write(stuffed(body)[len(stuffed(body[:half])):])
	busy.PrintfLine(".")
	for range 2 {
		busy.reply(250)
	}
	busy.reply(421)
	busy.ended()
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	only(t, d, "ann").sameContent(t, body)
	only(t, d, "ben").sameContent(t, body)
}

// stuffed is content as it goes over the wire (RFC 5321 §4.5.2).
func stuffed(content []byte) []byte {
	s := strings.ReplaceAll("\r\n"+string(content), "\r\n.", "\r\n..")
	return []byte(s[2:])
}
