package server_test

import (
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/server"
)

// RFC 5321 §4.5.3.2.7: five minutes for a command.
func TestCommandTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := server.New(config(&keeper{})), newPipeListener()
		start(t, s, l, lmtp())
		c, began := newClient(t, l.dial()), time.Now()
		c.expect("220")
		c.expect("421 4.4.2")
		if waited := time.Since(began); waited != 5*time.Minute {
			t.Fatalf("waited %v", waited)
		}
		c.gone()
	})
}

// A client that drips octets has no more time for its line than one that is silent.
func TestCommandTimeoutOfADrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := server.New(config(&keeper{})), newPipeListener()
		start(t, s, l, lmtp())
		c, began := newClient(t, l.dial()), time.Now()
		c.expect("220")
		go func() {
			for range 4 {
				<-time.After(time.Minute) // of the bubble's clock
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
			}
		}()
		c.expect("421 4.4.2")
		if waited := time.Since(began); waited != 5*time.Minute {
			t.Fatalf("waited %v", waited)
		}
	})
}

// Between two chunks a command is awaited, and it has a command's time, however it drips.
func TestCommandTimeoutBetweenChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s, l := server.New(config(k)), newPipeListener()
		start(t, s, l, lmtp())
		c := newClient(t, l.dial())
		c.expect("220")
		c.say("LHLO client.example.org", "250")
		c.say("MAIL FROM:<>", "250")
		c.say("RCPT TO:<ann@example.org>", "250")
		c.send("BDAT 5\r\nHello")
		c.expect("250 2.0.0")
		began := time.Now()
		go func() {
			for range 4 {
				<-time.After(time.Minute)
				if _, err := c.Write([]byte("B")); err != nil {
					return
				}
			}
		}()
		c.expect("421 4.4.2")
		if waited := time.Since(began); waited != 5*time.Minute {
			t.Fatalf("waited %v", waited)
		}
		c.gone()
		if kept, broken := k.counts(); kept != 0 || broken != 1 {
			t.Fatalf("%d kept and %d broken off, want 0 and 1", kept, broken)
		}
	})
}

// RFC 5321 §4.5.3.2.5: three minutes for a block of content, and each block has its own.
func TestContentTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s, l := server.New(config(k)), newPipeListener()
		start(t, s, l, lmtp())
		c, began := newClient(t, l.dial()), time.Now()
		c.begin("ann@example.org")
		<-time.After(2 * time.Minute)
		c.send("Subject: slow\r\n")
		<-time.After(2 * time.Minute)
		c.send("\r\n")
		c.gone()
		if waited := time.Since(began); waited != 7*time.Minute {
			t.Fatalf("waited %v", waited)
		}
		if kept, broken := k.counts(); kept != 0 || broken != 1 {
			t.Fatalf("%d kept and %d broken off, want 0 and 1", kept, broken)
		}
	})
}
