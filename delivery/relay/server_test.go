package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// What a fake does in place of an answer.
const (
	hang   = "HANG"  // says nothing until the client goes
	hangUp = "CLOSE" // closes the connection
)

// A fake is a server that takes what it is given, but for what a test has it do.
type fake struct {
	greeting string   // "220 mx.example.net ESMTP"; hang and hangUp too
	offers   []string // extensions
	// answer is what it says to a line of a client; "content" stands for a message with its final dot.
	answer func(line string) string
	tls    *tls.Config
	most   int // sessions at once; 0: any number

	mu       sync.Mutex
	sessions int      // that were begun
	now      int      // those that last
	lines    []string // that were heard, in all sessions
	content  []string
}

// heard returns the lines that begin with one of some verbs.
func (f *fake) heard(verbs ...string) (its []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.lines {
		if verb, _, _ := strings.Cut(line, " "); slices.Contains(verbs, verb) {
			its = append(its, line)
		}
	}
	return its
}

// forget forgets what was heard.
func (f *fake) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines = nil
}

// serve plays the server on one connection.
func (f *fake) serve(nc net.Conn) {
	defer nc.Close() // a session over TLS is not said goodbye to: nobody may be there to hear it
	in := bufio.NewReader(nc)
	defer f.end()
	if !f.say(nc, in, f.greet()) {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSuffix(line, "\r\n")
		f.mu.Lock()
		f.lines = append(f.lines, line)
		f.mu.Unlock()
		reply := f.reply(line)
		if !f.say(nc, in, reply) {
			return
		}
		switch verb, _, _ := strings.Cut(line, " "); {
		case verb == "STARTTLS" && strings.HasPrefix(reply, "220"):
			nc = tls.Server(nc, f.tls)
			in = bufio.NewReader(nc)
		case verb == "DATA" && strings.HasPrefix(reply, "354"):
			if !f.take(nc, in) {
				return
			}
		case verb == "QUIT":
			return
		}
	}
}

// greet counts a session, and returns its greeting.
func (f *fake) greet() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions++
	f.now++
	switch {
	case f.most > 0 && f.now > f.most:
		return "421 4.7.0 too many of you"
	case f.greeting != "":
		return f.greeting
	}
	return "220 mx.example.net ESMTP"
}

func (f *fake) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now--
}

// take reads a message and answers for it.
func (f *fake) take(nc net.Conn, in *bufio.Reader) bool {
	var text strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	f.mu.Lock()
	f.content = append(f.content, text.String())
	f.mu.Unlock()
	return f.say(nc, in, f.reply("content"))
}

// say sends a reply, or does what stands for it; false is the end.
func (f *fake) say(nc net.Conn, in io.Reader, reply string) bool {
	switch reply {
	case hangUp:
		return false
	case hang:
		io.Copy(io.Discard, in)
		return false
	}
	_, err := io.WriteString(nc, strings.ReplaceAll(reply, "\n", "\r\n")+"\r\n")
	return err == nil
}

func (f *fake) reply(line string) string {
	if f.answer != nil {
		if reply := f.answer(line); reply != "" {
			return reply
		}
	}
	switch verb, _, _ := strings.Cut(line, " "); verb {
	case "EHLO":
		lines := append([]string{"mx.example.net"}, f.offers...)
		for i := range lines {
			lines[i] = "250-" + lines[i]
		}
		lines[len(lines)-1] = strings.Replace(lines[len(lines)-1], "-", " ", 1)
		return strings.Join(lines, "\n")
	case "STARTTLS":
		return "220 2.0.0 go on"
	case "AUTH":
		return "235 2.7.0 welcome"
	case "DATA":
		return "354 go on"
	case "QUIT":
		return "221 2.0.0 bye"
	case "content":
		return "250 2.0.0 queued"
	}
	return "250 2.0.0 ok"
}

var errNobody = errors.New("connection refused")

// A network has servers by their addresses; who is not there refuses connections. nil is one that never answers.
type network map[string]*fake

// dial connects to a server of the network.
func (n network) dial(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	return func(ctx context.Context, kind, address string) (net.Conn, error) {
		f, there := n[address]
		switch {
		case !there:
			return nil, fmt.Errorf("%s: %w", address, errNobody)
		case f == nil:
			<-ctx.Done()
			return nil, ctx.Err()
		}
		ours, theirs := net.Pipe()
		all.Go(func() { f.serve(theirs) })
		return ours, nil
	}
}
