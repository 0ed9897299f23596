package submission

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"lmtpd/protocol/smtp"
)

// maxFieldName is how much of a line is kept until it is known what it is: as much as a line may have (RFC 5322 §2.1.1). What has
// no colon by then is text.
const maxFieldName = 998

// An editor is a reader of content that mends the header on its way, in constant memory, whatever the header is. What it reads has
// CRLF line ends (RFC 5321 §2.3.8). What is no field ends the header, as the blank line does.
type editor struct {
	src     io.Reader
	missing []addition
	authors *authors // nil: they are not looked at

	out  []byte // edited, and not yet read
	line []byte // the beginning of the line at hand, as long as it is not known what to do with it
	do   action // with the line at hand
	what string // the field's name, lower-cased
	any  bool   // there was a field
	cr   bool   // the last octet was a CR
	body bool   // the header is over
	err  error
	in   [4096]byte

	refusal smtp.Reply // of the message, which ends in it
}

// An addition is a field that is put in if there is none of its name.
type addition struct{ name, field string }

// action is what is done with a line.
type action int

const (
	undecided action = iota
	keep
	drop
)

// Read reads the edited content.
func (e *editor) Read(p []byte) (int, error) {
	for len(e.out) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		if e.body {
			return e.src.Read(p)
		}
		n, err := e.src.Read(e.in[:])
		e.edit(e.in[:n])
		if err != nil && e.err == nil {
			e.finish(err)
		}
	}
	n := copy(p, e.out)
	if e.out = e.out[n:]; len(e.out) == 0 {
		e.out = nil
	}
	return n, nil
}

// finish ends a header that the content has ended in.
func (e *editor) finish(err error) {
	if err == io.EOF && !e.body {
		if e.do == undecided && len(e.line) > 0 {
			e.end(e.line)
		} else {
			if e.do == keep { // in mid-line
				e.out = append(e.out, '\r', '\n')
			}
			e.end(nil)
		}
	}
	if e.err == nil {
		e.err = err
	}
}

// edit edits octets of the header, and of what follows it.
func (e *editor) edit(p []byte) {
	for len(p) > 0 && e.err == nil {
		switch {
		case e.body:
			e.out = append(e.out, p...)
			return
		case e.do == undecided:
			p = e.decide(p)
		default:
			p = e.carry(p)
		}
	}
}

// carry does with octets what is done with their line, up to its end.
func (e *editor) carry(p []byte) (rest []byte) {
	n, ended := len(p), false
	for i, c := range p {
		if c == '\n' && e.cr {
			n, ended = i+1, true
			break
		}
		e.cr = c == '\r'
	}
	e.pass(p[:n])
	if ended {
		e.do, e.cr = undecided, false
	}
	return p[n:]
}

// pass passes octets of a field on, or does not.
func (e *editor) pass(p []byte) {
	if e.do == keep {
		e.out = append(e.out, p...)
	}
	if m := e.authors.of(e.what); m != nil {
		m.add(p)
	}
}

// decide takes octets of a line until it is known what it is.
func (e *editor) decide(p []byte) (rest []byte) {
	for i, c := range p {
		e.line = append(e.line, c)
		switch {
		case len(e.line) == 1 && (c == ' ' || c == '\t') && e.any:
			e.continued()
		case c == ':':
			e.begin()
		case c == '\n' && bytes.HasSuffix(e.line, []byte("\r\n")):
			if !e.isPostmark() {
				e.end(e.line)
				e.line = nil
				return p[i+1:]
			}
			e.kept("")
			e.do = undecided // the line is over
		case len(e.line) > maxFieldName:
			e.overflow()
			e.cr = c == '\r'
		default:
			continue
		}
		return p[i+1:]
	}
	return nil
}

// overflow decides about a line in which no colon has come. Blanks may be before it (RFC 5322 §4.5), any number of them: a name
// that matters does so, lest somebody hide From behind them.
func (e *editor) overflow() {
	name := strings.ToLower(string(bytes.TrimRight(e.line, " \t")))
	switch {
	case e.matters(name):
		e.kept(name)
	case e.isPostmark():
		e.kept("")
	default:
		e.end(e.line)
		e.line = nil
	}
}

// matters says whether something is done with a field of that name.
func (e *editor) matters(name string) bool {
	return isBcc(name) || e.authors.of(name) != nil || slices.ContainsFunc(e.missing, func(a addition) bool { return a.name == name })
}

// isPostmark says whether the first line is the one that a mailbox file has before each message. Programs hand it over with the
// message at times.
func (e *editor) isPostmark() bool {
	return !e.any && (bytes.HasPrefix(e.line, []byte("From ")) || bytes.HasPrefix(e.line, []byte(">From ")))
}

// continued goes on with a field: its next line has what its last one had.
func (e *editor) continued() {
	e.do = keep
	if isBcc(e.what) {
		e.do = drop
	}
	e.flush()
}

// begin begins a field, if the line up to its colon is the name of one.
func (e *editor) begin() {
	name := string(bytes.TrimRight(e.line[:len(e.line)-1], " \t"))
	switch {
	case isFieldName(name):
		e.kept(strings.ToLower(name))
	case e.isPostmark():
		e.kept("")
	default:
		e.end(e.line)
		e.line = nil
	}
}

// kept begins a field of a name.
func (e *editor) kept(name string) {
	e.any, e.what, e.do = true, name, keep
	if isBcc(name) {
		e.do = drop
	}
	e.missing = slices.DeleteFunc(e.missing, func(a addition) bool { return a.name == name })
	if m := e.authors.of(name); m != nil {
		m.count++
		e.out = append(e.out, e.line...)
		e.line = e.line[:0]
		return
	}
	e.flush()
}

// flush passes on what was kept of the line.
func (e *editor) flush() {
	e.pass(e.line)
	e.line = e.line[:0]
}

// end ends the header with a line: the blank one, or one that is of the body.
func (e *editor) end(line []byte) {
	e.body, e.cr = true, false
	if e.authors != nil {
		if r := e.authors.verdict(); !r.IsZero() {
			e.out, e.err, e.refusal = nil, r, r
			return
		}
	}
	for _, a := range e.missing {
		e.out = append(e.out, a.field...)
	}
	if string(line) != "\r\n" {
		e.out = append(e.out, '\r', '\n') // the line that ends a header is not there
	}
	e.out = append(e.out, line...)
}

func isBcc(name string) bool { return name == "bcc" || name == "resent-bcc" }

// isFieldName says whether s is of printable ASCII without blanks and colons (RFC 5322 §2.2).
func isFieldName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })
}
