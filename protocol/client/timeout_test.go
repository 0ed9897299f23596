package client

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// RFC 5321 §4.5.3.2: how long each wait lasts when the server falls silent.
func TestTimeouts(t *testing.T) {
	const proceed = "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on\n"
	for _, tt := range []struct {
		name, script string
		content      string
		within       time.Duration
		want         []string
	}{
		{"greeting", "SILENCE", "hi\n", 5 * time.Minute, nil},
		{"LHLO", "S: 220 mx\nC: LHLO localhost\nSILENCE", "hi\n", 5 * time.Minute, nil},
		{"MAIL", hello + both + "SILENCE", "hi\n", 5 * time.Minute, []string{"not sent", "not sent"}},
		{"inside a reply", hello + both + "S= \"250-\"\nSILENCE", "hi\n", 5 * time.Minute, []string{"not sent", "not sent"}},
		{"RCPT", hello + both + "S: 250 ok\nS: 550 no\nSILENCE", "hi\n", 5 * time.Minute, []string{"550 no", "not sent"}},
		{"DATA", hello + both + "S: 250 ok\nS: 250 ok\nS: 250 ok\nSILENCE", "hi\n", 2 * time.Minute,
			[]string{"not sent", "not sent"}},
		{"final dot", hello + both + proceed + `C= "hi\r\n.\r\n"` + "\nSILENCE", "hi\n", 10 * time.Minute,
			[]string{"unknown", "unknown"}},
		{"second reply", hello + both + proceed + `C= "hi\r\n.\r\n"` + "\nS: 250 kept\nSILENCE", "hi\n", 10 * time.Minute,
			[]string{"250 kept", "unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				results, err := session(t.Context(), serve(t, tt.script), tt.content)
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				if got := time.Since(start); got != tt.within {
					t.Errorf("waited %v, want %v", got, tt.within)
				}
				if got := told(results); !slices.Equal(got, tt.want) {
					t.Errorf("results %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// session sends one message to ann and bob in a session of its own.
func session(ctx context.Context, nc net.Conn, content string) ([]Result, error) {
	c, err := New(ctx, nc, LMTP(), Options{})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	m := letter("ann", "bob")
	m.Content = strings.NewReader(content)
	return c.Send(ctx, m)
}

// A server that asks for content and then takes none: 3 minutes for a block (RFC 5321 §4.5.3.2.5).
func TestContentNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		played := make(chan error, 1)
		go func() { played <- play(theirs, hello+both+"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on", nil) }()
		start := time.Now()
		results, err := session(t.Context(), ours, strings.Repeat("x", 3*blockSize))
		if got := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || got != 3*time.Minute {
			t.Errorf("%v after %v", err, got)
		}
		if got := told(results); !slices.Equal(got, []string{"not sent", "not sent"}) {
			t.Errorf("results %q", got)
		}
		if err := <-played; err != nil {
			t.Error(err)
		}
	})
}

func TestContextEnds(t *testing.T) {
	scripts := map[string]string{
		"greeting": "SILENCE",
		"commands": hello + both + "SILENCE",
		"replies":  hello + bothAccepted + "S: 250 kept\nSILENCE",
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
				defer cancel()
				start := time.Now()
				results, err := session(ctx, serve(t, script), "hi\n")
				if got := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || got != 7*time.Second {
					t.Errorf("%v after %v", err, got)
				}
				if len(results) > 0 && results[1].Outcome == Known {
					t.Errorf("results %q", told(results))
				}
			})
		})
	}
}

// A context that ends between two messages must not harm the connection for the next context.
func TestContextIsForOneCall(t *testing.T) {
	c := begin(t, hello+bothAccepted+"S: 250 a\nS: 250 b\nC: QUIT\nS: 221 bye\nSILENCE", Options{})
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := c.Send(ctx, letter("ann", "bob")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := c.Send(ctx, letter("ann")); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Errorf("next context: %v", err)
	}
}

// QUIT is not worth a long wait, and the connection is closed all the same.
func TestQuitTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := begin(t, hello+"C: QUIT\nSILENCE", Options{})
		start := time.Now()
		err := c.Quit(t.Context())
		if got := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || got != 10*time.Second {
			t.Errorf("%v after %v", err, got)
		}
		if err := c.Reset(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after QUIT: %v", err)
		}
	})
}
