package server_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/server"
)

// Shutdown: who waits hears 421 4.3.2, who is inside a message finishes it (DESIGN §6).
func TestShutdown(t *testing.T) {
	k := &keeper{began: make(chan struct{}, 1)}
	s, l := server.New(config(k)), listenTCP(t)
	start(t, s, l, lmtp())

	idle := dialTCP(t, l)
	idle.expect("220")
	idle.say("LHLO client.example.org", "250")
	silent := dialTCP(t, l)
	silent.expect("220")
	inside := dialTCP(t, l)
	inside.begin("ann@example.org")
	<-k.began
	between := dialTCP(t, l)
	between.expect("220")
	between.say("LHLO client.example.org", "250")
	between.say("MAIL FROM:<>", "250")
	between.say("RCPT TO:<ann@example.org>", "250")

	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	idle.expect("421 4.3.2")
	idle.gone()
	silent.expect("421 4.3.2")
	between.expect("421 4.3.2")
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned %v with a session inside a message", err)
	default:
	}
	inside.send("Subject: x\r\n\r\nthe end\r\n.\r\n")
	inside.expect("250 2.1.5 <ann@example.org> Delivered")
	inside.expect("421 4.3.2")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if kept, _ := k.counts(); kept != 1 {
		t.Fatalf("%d messages kept, want 1", kept)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Fatal("the listener is still open")
	}
}

// A message in chunks is one message: shutdown waits for its last chunk.
func TestShutdownBetweenChunks(t *testing.T) {
	k := &keeper{began: make(chan struct{}, 1)}
	s, l := server.New(config(k)), listenTCP(t)
	start(t, s, l, lmtp())
	c := dialTCP(t, l)
	c.expect("220")
	c.say("LHLO client.example.org", "250")
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<ann@example.org>", "250")
	c.send("BDAT 5\r\nHello")
	c.expect("250 2.0.0 5 octets")
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	c.send("BDAT 2 LAST\r\n\r\n")
	c.expect("250 2.1.5")
	c.expect("421 4.3.2")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A session that does not finish in time is cut off; nothing of it is kept.
func TestShutdownCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s, l := server.New(config(k)), newPipeListener()
		start(t, s, l, lmtp())
		c := newClient(t, l.dial())
		c.begin("ann@example.org")
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Shutdown returned %v", err)
		}
		if kept, broken := k.counts(); kept != 0 || broken != 1 {
			t.Fatalf("%d kept and %d broken off, want 0 and 1", kept, broken)
		}
	})
}

// A handler that hangs in a disk that does not answer holds nobody up for ever.
func TestShutdownDoesNotWaitForTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{finished: make(chan struct{})}
		s, l := server.New(config(k)), newPipeListener()
		start(t, s, l, lmtp())
		c := newClient(t, l.dial())
		c.begin("ann@example.org")
		c.send("\r\n.\r\n")
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Shutdown returned %v", err)
		}
		if waited := time.Since(began); waited > time.Minute+2*time.Second {
			t.Fatalf("waited %v", waited)
		}
		if s.Conns() != 1 {
			t.Fatalf("%d connections, want the one that hangs", s.Conns())
		}
		close(k.finished)
	})
}

func TestServeAfterShutdown(t *testing.T) {
	s := server.New(config(&keeper{}))
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	l := newPipeListener()
	if err := s.Serve(l, lmtp()); err != server.ErrServerClosed {
		t.Fatalf("Serve returned %v", err)
	}
	select {
	case <-l.closed:
	default:
		t.Fatal("the listener was not closed")
	}
}
