package main_test

import "testing"

// A sender here is told that his mail was delivered; of one who cannot be reached from here the log tells, and the postmaster does not
// get what cannot be delivered to him.
func TestNotificationOfSuccess(t *testing.T) {
	d := startDaemon(t)
	c := dial(t, "unix", d.socket).lhlo()
	for _, from := range []string{"ben@example.org", "eve@elsewhere.example"} {
		c.say(250, "MAIL FROM:<%s>", from)
		c.say(250, "RCPT TO:<ann@example.org> NOTIFY=SUCCESS")
		c.say(354, "DATA")
		c.PrintfLine("Subject: hello\r\n\r\nHello.\r\n.")
		c.reply(250)
	}
	d.await(t, `msg="a notification of success is lost" .*from=<eve@elsewhere.example> .*no relay is configured`)
	d.drained(t)
	for mailbox, want := range map[string]int{"ann": 2, "ben": 1, "postmaster": 0} {
		if n := len(visible(t, d.mailbox(mailbox))); n != want {
			t.Errorf("%s has %d messages, want %d", mailbox, n, want)
		}
	}
}
