package client

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ann is one message to ann, taken.
const ann = "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go on\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 kept\n"

var errNoMore = errors.New("no more connections")

// dials returns a function that begins sessions with servers that play these scripts, one after the other, and how often it was called.
func dials(t *testing.T, scripts ...string) (dial func(context.Context) (*Conn, error), count func() int) {
	var mu sync.Mutex
	n := 0
	dial = func(ctx context.Context) (*Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n > len(scripts) {
			return nil, errNoMore
		}
		return New(ctx, serve(t, scripts[n-1]), LMTP(), Options{})
	}
	return dial, func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

func TestPoolSend(t *testing.T) {
	half := strings.TrimSuffix(ann, "S: 250 kept\n")
	const bye = "C: QUIT\nS: 221 bye\n"
	for _, tt := range []struct {
		name    string
		scripts []string
		want    []string // for each message
		err     error    // of the last one
		dials   int
	}{
		{"one connection for all", []string{hello + ann + ann + ann + bye}, []string{"250 kept", "250 kept", "250 kept"}, nil, 1},
		{"a refusal is no reason to go", []string{hello + "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 250 ok\nS: 550 no\nS: 503 nobody\nC: RSET\n" +
			strings.Replace(ann, "S: ", "S: 250 ok\nS: ", 1) + bye}, []string{"550 no", "250 kept"}, nil, 1},
		{"gone meanwhile", []string{hello + ann, hello + ann + bye}, []string{"250 kept", "250 kept"}, nil, 2},
		{"gone meanwhile, with a word", []string{hello + ann + "S: 421 4.4.2 idle", hello + ann + bye}, []string{"250 kept", "250 kept"}, nil, 2},
		{"gone once MAIL has come", []string{hello + ann + "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 421 4.7.0 too many", hello + ann + bye},
			[]string{"250 kept", "250 kept"}, nil, 2},
		{"out of step", []string{hello + ann + "S: 250 kept again\nSILENCE", hello + ann + bye}, []string{"250 kept", "250 kept"}, nil, 2},
		{"gone, and nobody there", []string{hello + ann}, []string{"250 kept", "not sent"}, errNoMore, 2},
		{"gone at once", []string{hello + "S: 421 4.3.2 going down"}, []string{"not sent"}, errAny, 1},
		{"gone twice", []string{hello + ann, hello}, []string{"250 kept", "not sent"}, errAny, 2},
		{"gone after the final dot", []string{hello + ann + half}, []string{"250 kept", "unknown"}, ErrHungUp, 1},
		{"gone after 354", []string{hello + ann + "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go on"},
			[]string{"250 kept", "unknown"}, io.ErrClosedPipe, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dial, count := dials(t, tt.scripts...)
			p := &Pool{Dial: dial}
			var got []string
			var err error
			for range tt.want {
				var results []Result
				var server string
				results, server, err = p.Send(t.Context(), letter("ann"))
				got = append(got, told(results)...)
				if server != "mx.example.org" && !errors.Is(err, errNoMore) {
					t.Errorf("server %q", server)
				}
			}
			if !slices.Equal(got, tt.want) || !like(err, tt.err) || count() != tt.dials {
				t.Errorf("%q, %v over %d connections; want %q, %v over %d", got, err, count(), tt.want, tt.err, tt.dials)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if _, _, err := p.Send(t.Context(), letter("ann")); !errors.Is(err, ErrPoolClosed) {
				t.Errorf("after its end: %v", err)
			}
		})
	}
}

// A connection waits for a time, and no more of them than are wanted; then the session ends in good order.
func TestPoolIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, count := dials(t, hello+ann+ann+"C: QUIT\nS: 221 bye", hello+ann+ann+"C: QUIT\nS: 221 bye")
		p := &Pool{Dial: dial, Idle: time.Minute}
		send := func() {
			if results, _, err := p.Send(t.Context(), letter("ann")); err != nil || !results[0].Delivered() {
				t.Errorf("%q, %v", told(results), err)
			}
		}
		send()
		time.Sleep(59 * time.Second)
		send()
		time.Sleep(59 * time.Second)
		if n := waiting(p); n != 1 {
			t.Errorf("%d wait", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := waiting(p); n != 0 {
			t.Errorf("%d wait for longer than they should", n)
		}
		send()
		p.Messages = 2
		send()
		if n := waiting(p); n != 0 || count() != 2 {
			t.Errorf("%d wait after all their messages, %d connections", n, count())
		}
		p.Close()
	})
}

func waiting(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// together sends n messages at once: none ends before all have begun. then is called before they end.
func together(t *testing.T, p *Pool, n int, then func()) {
	t.Helper()
	var begun, ended sync.WaitGroup
	begun.Add(n)
	rest := make(chan struct{})
	for range n {
		ended.Go(func() {
			m := letter("ann")
			m.Content = io.MultiReader(strings.NewReader("hi\n"), readerFunc(func([]byte) (int, error) {
				begun.Done()
				<-rest
				return 0, io.EOF
			}))
			if results, _, err := p.Send(t.Context(), m); err != nil || !results[0].Delivered() {
				t.Errorf("%q, %v", told(results), err)
			}
		})
	}
	begun.Wait()
	then()
	close(rest)
	ended.Wait()
}

func TestPoolMaxIdle(t *testing.T) {
	script := hello + ann + "C: QUIT\nS: 221 bye"
	dial, _ := dials(t, script, script, script)
	p := &Pool{Dial: dial, MaxIdle: 2}
	together(t, p, 3, func() {})
	if n := waiting(p); n != 2 {
		t.Errorf("%d wait, want 2", n)
	}
	p.Close()
}

// A pool that is closed ends what comes back to it.
func TestPoolCloseMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, _ := dials(t, hello+ann+"C: QUIT\nS: 221 bye")
		p := &Pool{Dial: dial}
		together(t, p, 1, func() { p.Close() })
		if n := waiting(p); n != 0 {
			t.Errorf("%d wait", n)
		}
		synctest.Wait()
	})
}

// Many messages from many goroutines, and each has the result that is its own.
func TestPoolTogether(t *testing.T) {
	a := listen(t, "tcp", "127.0.0.1:0", nil)
	p := &Pool{Dial: func(ctx context.Context) (*Conn, error) { return Dial(ctx, a, Options{}) }, MaxIdle: 3, Messages: 5}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 10 {
				if results, _, err := p.Send(t.Context(), letter("ann", "bob")); err != nil || !results[0].Delivered() || !results[1].Delivered() {
					t.Errorf("%q, %v", told(results), err)
				}
			}
		})
	}
	all.Wait()
	p.Close()
}
