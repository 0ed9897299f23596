package dsn

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"

	"lmtpd/protocol/smtp"
)

// MaxReturned is the size of the largest message that is returned in full, and of the largest header, in octets. It is also the
// memory that a notification takes for the message it is about.
const MaxReturned = 50000

// An original is what is returned of the message that a notification is about.
type original struct {
	whole  bool   // the message; else its header
	octets []byte // that of it, in lines that end in CRLF
	header survey // of the header
	body   survey // of all that is returned
	utf8   bool   // the header is UTF-8, beyond ASCII

	subject   string // decoded; "": none
	messageID string // "": none that could be repeated
}

// readOriginal reads as much of the message as is returned.
func readOriginal(r *Report) (*original, error) {
	b := make([]byte, min(r.Content.Size(), MaxReturned))
	if n, err := r.Content.ReadAt(b, 0); n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if int64(len(b)) < r.Content.Size() {
		b = b[:bytes.LastIndexByte(b, '\n')+1] // whole lines
	}
	b = mend(b)
	head := b[:headerSize(b)]
	o := &original{octets: b}
	o.header.Write(head)
	o.body.Write(b)
	o.whole = r.Ret == smtp.RetFull && r.failed() && r.Content.Size() <= MaxReturned && o.body.sendable()
	if !o.whole {
		o.octets, o.body = head, o.header
	}
	o.utf8 = o.header.wide && utf8.Valid(head)
	o.subject = decode(fieldValue(head, "subject"))
	if id := fieldValue(head, "message-id"); msgID.MatchString(id) && len(id) < niceLine*3 {
		o.messageID = id
	}
	return o, nil
}

// failed says whether a delivery has: what is told of one that has not comes with the header alone (RFC 3461 §6.2).
func (r *Report) failed() bool {
	return slices.ContainsFunc(r.Recipients, func(to Recipient) bool { return to.Action == Failed })
}

// mend returns content as it can be sent: a bare LF is made a line end, and a bare CR or a NUL, which no content may have
// (RFC 5321 §2.3.8, RFC 5322 §4.1), is replaced.
func mend(b []byte) []byte {
	m := make([]byte, 0, len(b)+2)
	for i, c := range b {
		switch {
		case c == '\n' && (i == 0 || b[i-1] != '\r'):
			m = append(m, '\r', '\n')
		case c == 0, c == '\r' && (i+1 == len(b) || b[i+1] != '\n'):
			m = append(m, '?')
		default:
			m = append(m, c)
		}
	}
	return m
}

// headerSize returns how many octets at the start are fields: the header ends at an empty line, or at one that is none.
func headerSize(b []byte) int {
	n := 0
	for line := range bytes.Lines(b) {
		folded := n > 0 && (line[0] == ' ' || line[0] == '\t')
		if !folded && !fieldStart.Match(line) {
			return n
		}
		n += len(line)
	}
	return n
}

var (
	fieldStart = regexp.MustCompile(`^[!-9;-~]+[ \t]*:`)         // RFC 5322 §3.6.8
	msgID      = regexp.MustCompile(`^<[!-;=?-~]+@[!-;=?-~]+>$`) // RFC 5322 §3.6.4, leniently
)

// fieldValue returns the value of the first field with a name, unfolded; "" if there is none. The name is in lower case.
func fieldValue(head []byte, name string) string {
	var value []byte
	for line := range bytes.Lines(head) {
		if value != nil && (line[0] == ' ' || line[0] == '\t') {
			value = append(value, bytes.TrimRight(line, "\r\n")...)
			continue
		}
		if value != nil {
			break
		}
		if key, rest, _ := bytes.Cut(line, []byte(":")); smtp.EqualFold(string(bytes.TrimRight(key, " \t")), name) {
			value = append([]byte{}, bytes.TrimRight(rest, "\r\n")...)
		}
	}
	return string(bytes.TrimSpace(value))
}

// decode returns a field's words (RFC 2047), in one clean line that is not too long.
func decode(value string) string {
	d := mime.WordDecoder{CharsetReader: charset.Reader}
	if words, err := d.DecodeHeader(value); err == nil {
		value = words
	}
	return shorten(strings.TrimSpace(clean(value, smtp.UTF8)), 160)
}

// returned is the part that holds it.
func (n *notification) returned() part {
	o := n.original
	p := part{encoding: "7bit", description: n.gravest().tale().returned, write: func(w io.Writer) { w.Write(o.octets) }}
	global := n.UTF8 == smtp.UTF8 && o.utf8
	switch {
	case o.whole && global:
		p.mediaType, p.encoding = "message/global", n.wideEncoding() // RFC 6533 §4.2
	case o.whole:
		p.mediaType = "message/rfc822"
		if o.body.wide {
			p.encoding = "8bit"
		}
	case global:
		p.mediaType, p.encoding = "message/global-headers", n.wideEncoding() // RFC 6533 §4.3
	default:
		p.mediaType = "text/rfc822-headers"
		if o.header.wide {
			p.encoding = "quoted-printable" // of what is no proper header (RFC 6522 §4)
		}
	}
	if !o.whole {
		p.description += " Headers"
	}
	if !o.body.sendable() {
		p.encoding = "quoted-printable"
	}
	return p
}
