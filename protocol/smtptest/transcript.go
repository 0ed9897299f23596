package smtptest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A Transcript is one scenario.
type Transcript struct {
	Path     string
	Clause   string // what the first line says it proves
	Settings Settings
	Lines    []Line
}

// A Line is one line of a transcript.
type Line struct {
	Kind   Kind
	Text   string // as it stands in the file
	Octets []byte // what the client sends (Client), what is compared (Server, Kept)
}

// Kind is a kind of line.
type Kind int

// The kinds.
const (
	Comment   Kind = iota // or blank
	Client                // C: and C=
	Server                // S:
	Handshake             // -- handshake
	HangUp                // -- hang up
	Closed                // -- closed
	Kept                  // K:
)

var events = map[string]Kind{"-- handshake": Handshake, "-- hang up": HangUp, "-- closed": Closed}

// clause is how the first line of a transcript begins.
var clause = regexp.MustCompile(`^# ((RFC [0-9]+ §[0-9A-Z.]+|XFORWARD_README|XCLIENT_README|draft-hall-prdr|draft-murchison-sasl-login|XOAUTH2)(, (RFC [0-9]+ )?§[0-9.]+)*): \S`)

// Load reads the transcripts of a directory.
func Load(dir string) ([]*Transcript, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no transcripts in %s", dir)
	}
	var all []*Transcript
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		t, err := Parse(path, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// Parse reads a transcript.
func Parse(path, text string) (*Transcript, error) {
	t := &Transcript{Path: path}
	head := clause.FindStringSubmatch(text)
	if head == nil {
		return nil, fmt.Errorf("%s:1: the first line must name the clause: # RFC 5321 §4.1.1.4: what is proven", path)
	}
	t.Clause = head[1]
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		l, err := parseLine(line)
		if err == nil && l.Kind == Comment {
			err = t.Settings.parse(line)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		t.Lines = append(t.Lines, l)
	}
	return t, nil
}

func parseLine(s string) (Line, error) {
	l := Line{Text: s}
	var err error
	switch mark, rest, _ := strings.Cut(s, " "); mark {
	case "", "#":
		l.Kind = Comment
	case "C:":
		l.Kind, l.Octets = Client, []byte(rest+"\r\n")
	case "C=":
		l.Kind = Client
		l.Octets, err = parseRaw(rest)
	case "S:":
		l.Kind, l.Octets = Server, []byte(rest)
	case "K:":
		l.Kind, l.Octets = Kept, []byte(rest)
	default:
		kind, known := events[s]
		if !known {
			err = fmt.Errorf("unknown line %q", s)
		}
		l.Kind = kind
	}
	return l, err
}

// parseRaw reads a quoted string, with a count and an asterisk before it if it is repeated.
func parseRaw(s string) ([]byte, error) {
	times := 1
	if count, rest, found := strings.Cut(s, " * "); found && s[0] != '"' {
		n, err := strconv.Atoi(count)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("bad count %q", count)
		}
		times, s = n, rest
	}
	text, err := strconv.Unquote(s)
	if err != nil {
		return nil, fmt.Errorf("not a quoted string: %s", s)
	}
	return []byte(strings.Repeat(text, times)), nil
}

// String returns the transcript as it stands in its file.
func (t *Transcript) String() string {
	var b strings.Builder
	for _, l := range t.Lines {
		b.WriteString(l.Text)
		b.WriteByte('\n')
	}
	return b.String()
}

// Pipelined returns the same scenario with as few waits as can be: all that the client sends before an event goes
// in one write, and then all replies are read.
func (t *Transcript) Pipelined() *Transcript {
	p := &Transcript{Path: t.Path, Clause: t.Clause, Settings: t.Settings}
	var replies []Line
	for _, l := range t.Lines {
		switch l.Kind {
		case Client, Comment:
			p.Lines = append(p.Lines, l)
		case Server:
			replies = append(replies, l)
		default:
			p.Lines = append(append(p.Lines, replies...), l)
			replies = nil
		}
	}
	p.Lines = append(p.Lines, replies...)
	return p
}
