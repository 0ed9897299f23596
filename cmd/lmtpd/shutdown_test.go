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

// SIGHUP changes nothing, and SIGINT ends the daemon as SIGTERM does.
func TestOtherSignals(t *testing.T) {
	d := startDaemon(t)
	c := dial(t, "unix", d.socket).lhlo()
	d.signal(t, syscall.SIGHUP)
	expectReplies(t, c.transaction(letter("signal", 500), "ann@example.org"), "250 2.1.5")
	dial(t, "unix", d.socket).lhlo().say(221, "QUIT")
	d.signal(t, syscall.SIGINT)
	c.reply(421)
	c.ended()
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// When the time for shutting down is over, a message in progress is cut off: its client hears no 250, nothing is left
// of it, and the daemon ends with 0.
func TestTerminateRunsOut(t *testing.T) {
	d := newDaemon(t)
	d.configure(t, "[limits]\nshutdown = \"50ms\"\n")
	d.start(t)
	c := dial(t, "unix", d.socket).lhlo()
	c.say(250, "MAIL FROM:<sender@example.net>")
	c.say(250, "RCPT TO:<ann@example.org>")
	c.say(354, "DATA")
	if _, err := c.W.Write(stuffed(letter("cut", 1000))); err != nil {
		t.Fatal(err)
	}
	c.W.Flush()
	d.signal(t, syscall.SIGTERM)
	for line, err := c.ReadLine(); err == nil; line, err = c.ReadLine() {
		if !strings.HasPrefix(line, "421 ") {
			t.Errorf("said %q to a message that has no end", line)
		}
	}
	if code := d.wait(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	d.await(t, "sessions were cut off")
	if left := append(temporaries(t, d.dir), paths(visible(t, d.root))...); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// stuffed is content as it goes over the wire (RFC 5321 §4.5.2).
func stuffed(content []byte) []byte {
	s := strings.ReplaceAll("\r\n"+string(content), "\r\n.", "\r\n..")
	return []byte(s[2:])
}
