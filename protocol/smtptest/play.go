package smtptest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Hostname is what the server calls itself on every stage.
const Hostname = "mail.example.org"

// A Wire is the client's end of a connection.
type Wire interface {
	// Send sends p.
	Send(p []byte) error

	// Receive returns the lines that the server has sent, without CRLF. Where it can be told, these are all
	// until the server waits; where not, want of them.
	Receive(want int) ([]string, error)

	// Handshake does the client's part of a TLS handshake.
	Handshake() error

	// Closed waits for the server to hang up and returns what it says before.
	Closed() ([]string, error)

	// HangUp ends the client's sending and waits for the server to end. It returns what the server says. It is
	// ErrHungUp if the server was gone already and that can be told.
	HangUp() ([]string, error)
}

// ErrHungUp says that the server has hung up unexpectedly.
var ErrHungUp = errors.New("the server has hung up already")

// A Message is one that is kept in a mailbox.
type Message struct {
	Mailbox string
	Folder  string // "" is INBOX
	Content []byte // without trace fields
}

// place is the mailbox and, behind a slash, which no mailbox has in its name, the folder.
func (m Message) place() string {
	if m.Folder == "" {
		return m.Mailbox
	}
	return m.Mailbox + "/" + m.Folder
}

// Play plays the client's part of t on w and returns the transcript of what was said. kept tells what is kept
// when the session is over, in the order in which it came.
func (t *Transcript) Play(w Wire, kept func() ([]Message, error)) (*Transcript, error) {
	p := player{wire: w, played: &Transcript{Path: t.Path, Clause: t.Clause, Settings: t.Settings}}
	var failed error
	for i := 0; i < len(t.Lines) && failed == nil; {
		n, err := p.play(t.Lines[i:])
		i, failed = i+n, err
	}
	if failed == nil && !p.over {
		failed = p.bow()
	}
	if failed == nil {
		failed = p.kept(kept)
	}
	return p.played, failed
}

type player struct {
	wire   Wire
	played *Transcript
	over   bool // the connection is
}

// play plays the next lines of one kind and says how many they are.
func (p *player) play(lines []Line) (int, error) {
	n := 1
	for n < len(lines) && lines[n].Kind == lines[0].Kind {
		n++
	}
	kind := lines[0].Kind
	if kind != Server && kind != Kept {
		p.played.Lines = append(p.played.Lines, lines[:n]...)
	}
	switch kind {
	case Client:
		return n, p.client(lines, n)
	case Server:
		return n, p.server(p.wire.Receive(n))
	case Handshake:
		return n, p.wire.Handshake()
	case HangUp:
		return n, p.end(p.wire.HangUp())
	case Closed:
		return n, p.end(p.wire.Closed())
	}
	return n, nil
}

// client sends n lines. Where the transcript expects no answer it looks whether there is one all the same.
func (p *player) client(lines []Line, n int) error {
	var all bytes.Buffer
	for _, l := range lines[:n] {
		all.Write(l.Octets)
	}
	if err := p.wire.Send(all.Bytes()); err != nil {
		return err
	}
	for n < len(lines) && lines[n].Kind == Comment {
		n++
	}
	if n < len(lines) && lines[n].Kind == Server {
		return nil
	}
	return p.server(p.wire.Receive(0))
}

func (p *player) server(lines []string, err error) error {
	for _, s := range lines {
		p.played.Lines = append(p.played.Lines, Line{Kind: Server, Text: "S: " + s, Octets: []byte(s)})
	}
	return err
}

func (p *player) end(lines []string, err error) error {
	p.over = true
	if len(lines) > 0 {
		return errors.Join(err, fmt.Errorf("the server says %q and hangs up", lines))
	}
	return err
}

// bow ends a transcript that does not say how the session ends.
func (p *player) bow() error {
	lines, err := p.wire.HangUp()
	if errors.Is(err, ErrHungUp) {
		p.played.Lines = append(p.played.Lines, Line{Kind: Closed, Text: "-- closed"})
		err = nil
	}
	return p.end(lines, err)
}

func (p *player) kept(kept func() ([]Message, error)) error {
	all, err := kept()
	slices.SortStableFunc(all, func(a, b Message) int { return strings.Compare(a.place(), b.place()) })
	for _, m := range all {
		p.played.Lines = append(p.played.Lines, keptLine(m))
	}
	return err
}
