package dovecot

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"lmtpd/auth"
)

// handshakeLines are what Dovecot 2.3 begins with.
const handshakeLines = "VERSION\t1\t2\n" +
	"MECH\tPLAIN\tplaintext\n" +
	"MECH\tLOGIN\tplaintext\n" +
	"MECH\tCRAM-MD5\tdictionary\tactive\n" +
	"MECH\tSCRAM-SHA-256\tmutual-auth\n" +
	"MECH\tXOAUTH2\tplaintext\n" +
	"MECH\tOAUTHBEARER\tplaintext\n" +
	"MECH\tEXTERNAL\n" +
	"MECH\tANONYMOUS\tanonymous\n" +
	"MECH\tAPOP\tprivate\tdictionary\tactive\n" +
	"SPID\t4711\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n"

// A peer is the server's end of a connection.
type peer struct {
	t     *testing.T
	conn  net.Conn
	lines chan string // what the client has said, without LF; closed when it has hung up
}

func newPeer(t *testing.T, conn net.Conn) *peer {
	p := &peer{t: t, conn: conn, lines: make(chan string, 2*maxOpen)}
	go func() {
		defer close(p.lines)
		in := bufio.NewReader(conn)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			p.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	return p
}

// say writes. That the client has hung up is for others to find out.
func (p *peer) say(lines string) { p.conn.Write([]byte(lines)) }

// shake does the handshake, with these lines.
func (p *peer) shake(lines string) {
	p.say(lines)
	if got, there := <-p.lines; there && got != "VERSION\t1\t2" {
		p.t.Errorf("the client begins with %q", got)
	}
	if got, there := <-p.lines; there && (!strings.HasPrefix(got, "CPID\t") || got == "CPID\t0") {
		p.t.Errorf("the client goes on with %q", got)
	}
}

// play plays a script, after the handshake: of its lines those with "C: " are expected, those with "S: " said, one of "X" hangs
// up. It ends when the client hangs up.
func (p *peer) play(script ...string) {
	for _, line := range script {
		if line == "X" {
			p.conn.Close()
			return
		}
		text := line[len("C: "):]
		if strings.HasPrefix(line, "S: ") {
			p.say(text + "\n")
			continue
		}
		got, there := <-p.lines
		if !there {
			return
		}
		if got != text {
			p.t.Errorf("the client says %q, not %q", got, text)
		}
	}
}

// fake returns a Client of a server that does with each connection what serve does, then waits for the client to hang up.
func fake(t *testing.T, cfg Config, serve func(*peer)) *Client {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = fakeLog()
	}
	var serving sync.WaitGroup
	c := start(cfg, func(context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		serving.Go(func() {
			defer theirs.Close()
			p := newPeer(t, theirs)
			serve(p)
			for range p.lines {
			}
		})
		return ours, nil
	})
	t.Cleanup(func() {
		c.Close()
		serving.Wait()
	})
	return c
}

// scripted returns a Client of a server that plays a script on its first connection, and nothing on others.
func scripted(t *testing.T, script ...string) *Client {
	t.Helper()
	var once sync.Once
	return fake(t, Config{}, func(p *peer) {
		p.shake(handshakeLines)
		once.Do(func() { p.play(script...) })
	})
}

// inBubble runs a subtest in a bubble of its own, where nothing takes time.
func inBubble(t *testing.T, name string, f func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// isDoubt says whether an error says that it could not be told.
func isDoubt(err error) bool { return err != nil && !errors.Is(err, auth.ErrCredentials) }

// fakeLog is of nothing.
func fakeLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
