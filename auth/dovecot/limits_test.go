package dovecot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
)

const authCRAM = "C: AUTH\t%d\tCRAM-MD5\tservice=smtp\tfinal-resp-ok"

// An answer that does not come is not waited for longer than Timeout, or than the caller has it. The server is told, and what it
// says of it afterwards is nobody's.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := scripted(t,
			fmt.Sprintf(authCRAM, 1), "C: CANCEL\t1", "S: OK\t1\tuser=bob",
			fmt.Sprintf(authCRAM, 2), "C: CANCEL\t2", "S: CONT\t2\tMQ==",
			fmt.Sprintf(authCRAM, 3), "S: OK\t3\tuser=ann")
		began := time.Now()
		if _, _, err := c.Begin("CRAM-MD5", auth.Channel{}).Next(t.Context(), nil); !isDoubt(err) || time.Since(began) != defaultTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		_, _, err := c.Begin("CRAM-MD5", auth.Channel{}).Next(ctx, nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if _, account, err := c.Begin("CRAM-MD5", auth.Channel{}).Next(t.Context(), nil); account != "ann" || err != nil {
			t.Errorf("the next: %q, %v", account, err)
		}
	})
}

// A client has so long for a response, and no longer.
func TestLateResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := scripted(t,
			fmt.Sprintf(authCRAM, 1), "S: CONT\t1\tMQ==", fmt.Sprintf(authCRAM, 2), "S: CONT\t2\tMg==",
			"C: CONT\t1\tYW5u", "S: OK\t1\tuser=ann", "C: CANCEL\t2")
		slow, slower := c.Begin("CRAM-MD5", auth.Channel{}), c.Begin("CRAM-MD5", auth.Channel{})
		for _, e := range []auth.Exchange{slow, slower} {
			if _, _, err := e.Next(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(idling)
		if _, account, err := slow.Next(t.Context(), []byte("ann")); account != "ann" || err != nil {
			t.Errorf("in time: %q, %v", account, err)
		}
		time.Sleep(time.Nanosecond)
		if _, _, err := slower.Next(t.Context(), []byte("ann")); !errors.Is(err, errIdle) || !isDoubt(err) {
			t.Errorf("too late: %v", err)
		}
	})
}

// Of exchanges that wait for their clients the oldest makes room for a new one. Where all wait for the server, there is none.
func TestTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := make(chan string, 1)
		c := fake(t, Config{}, func(p *peer) {
			p.shake(handshakeLines)
			for line := range p.lines {
				words := strings.Split(line, "\t")
				switch {
				case words[0] == "CANCEL":
					given <- words[1]
				case words[0] == "AUTH" && words[2] == "CRAM-MD5":
					p.say("CONT\t" + words[1] + "\tMQ==\n")
				case words[0] == "CONT":
					p.say("OK\t" + words[1] + "\tuser=ann\n")
				}
			}
		})
		var open []auth.Exchange
		for range maxOpen + 1 {
			e := c.Begin("CRAM-MD5", auth.Channel{})
			if _, _, err := e.Next(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			open = append(open, e)
		}
		if got := <-given; got != "1" {
			t.Errorf("the server is told of %s", got)
		}
		if _, _, err := open[0].Next(t.Context(), []byte("ann")); !errors.Is(err, errEvicted) || !isDoubt(err) {
			t.Errorf("the oldest: %v", err)
		}
		for _, e := range open[1:] {
			if _, account, err := e.Next(t.Context(), []byte("ann")); account != "ann" || err != nil {
				t.Fatalf("others: %q, %v", account, err)
			}
		}
		failures := make(chan error, maxOpen)
		for range maxOpen {
			go func() {
				_, _, err := c.Begin("SCRAM-SHA-256", auth.Channel{}).Next(t.Context(), nil) // is not answered
				failures <- err
			}()
		}
		synctest.Wait()
		if _, _, err := c.Begin("CRAM-MD5", auth.Channel{}).Next(t.Context(), nil); !errors.Is(err, errBusy) || !isDoubt(err) {
			t.Errorf("one more than all that wait: %v", err)
		}
		c.Close()
		for range maxOpen {
			if err := <-failures; !errors.Is(err, ErrClosed) {
				t.Fatal(err)
			}
		}
	})
}

// Answers find who waits for them, in whatever order they come.
func TestManyAtOnce(t *testing.T) {
	const many = 50
	c := fake(t, Config{}, func(p *peer) {
		p.shake(handshakeLines)
		var answers []string
		for line := range p.lines {
			words := strings.Split(line, "\t")
			token := strings.TrimPrefix(words[len(words)-1], "resp=")
			answers = append(answers, fmt.Sprintf("OK\t%s\tuser=%s\n", words[1], token))
			if len(answers) == many {
				slices.Reverse(answers)
				p.say(strings.Join(answers, ""))
			}
		}
	})
	wrong := make(chan error, many)
	for i := range many {
		go func() {
			token := fmt.Sprintf("%03d", i) // its base64 is what the server calls it
			_, account, err := c.Begin("CRAM-MD5", auth.Channel{}).Next(context.Background(), []byte(token))
			if b, _ := decode(account); err == nil && string(b) != token {
				err = fmt.Errorf("%s became %s", token, b)
			}
			wrong <- err
		}()
	}
	for range many {
		if err := <-wrong; err != nil {
			t.Error(err)
		}
	}
}

// A server that does not read is hung up on, and nobody waits for it much longer.
func TestServerDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := dialled(t, fakeLog(), func(n int) (net.Conn, error) {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { theirs.Close() })
			go func() {
				buf := make([]byte, 1024)
				for range n { // the handshake, and on the first connection nothing else
					theirs.Read(buf)
				}
				theirs.Write([]byte(handshakeLines))
			}()
			return ours, nil
		})
		time.Sleep(time.Minute)
		began := time.Now()
		outcomes := make(chan error)
		for range 3 {
			go func() {
				_, _, err := c.Begin("CRAM-MD5", auth.Channel{}).Next(t.Context(), nil)
				outcomes <- err
			}()
		}
		for range 3 {
			if err := <-outcomes; !isDoubt(err) {
				t.Error(err)
			}
		}
		if d := time.Since(began); d != writing {
			t.Errorf("after %v", d)
		}
	})
}
