package dsn

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/quotedprintable"
	"time"

	"github.com/emersion/go-message/textproto"

	"lmtpd/protocol/smtp"
)

// ErrNoReport is returned for a Report that no notification may be made of: nobody to tell, or nothing to say.
var ErrNoReport = errors.New("no notification is due to the null reverse-path, or about no recipient")

// Compose writes the notification that tells r to w. id is its own, no other message's; now is when it is written. What is returned
// is the envelope to send it in: the null reverse-path, the sender of the message as the recipient, and what the octets that were
// written ask of who carries them. An error is that of w, of the message's content, or ErrNoReport; then w holds a torn one.
func Compose(w io.Writer, id string, now time.Time, r Report) (*smtp.Envelope, error) {
	if r.From.IsNull() || len(r.Recipients) == 0 {
		return nil, ErrNoReport
	}
	original, err := readOriginal(&r)
	if err != nil {
		return nil, err
	}
	n := &notification{Report: r, id: id, now: now, original: original}
	buffered, seen := bufio.NewWriter(w), &survey{}
	if err := n.write(io.MultiWriter(buffered, seen)); err != nil {
		return nil, err
	}
	if err := buffered.Flush(); err != nil {
		return nil, err
	}
	env := &smtp.Envelope{ID: id, Size: seen.size, Body: smtp.Body7Bit}
	// The sender's mail must not be reported on in turn, by nobody on the way either (RFC 3461 §6.1).
	env.Recipients = []smtp.Recipient{{To: r.From, Notify: smtp.NotifyNever}}
	if seen.wide {
		env.Body = smtp.Body8Bit
	}
	if !r.From.ASCII() {
		env.UTF8 = smtp.UTF8
	}
	return env, nil
}

// A notification is one that is being written.
type notification struct {
	Report
	id       string
	now      time.Time
	original *original
}

// A part is one of the three.
type part struct {
	mediaType   string
	description string
	encoding    string // Content-Transfer-Encoding
	write       func(io.Writer)
}

// write writes the whole. Where w fails, it fails from then on: the functions below leave that to a bufio.Writer.
func (n *notification) write(w io.Writer) error {
	parts := []part{n.text(), n.status(), n.returned()}
	encoding := "7bit"
	for _, p := range parts {
		if p.encoding == "8bit" {
			encoding = "8bit" // a multipart is what its parts are (RFC 2045 §6.4)
		}
	}
	m := textproto.NewMultipartWriter(w)
	if err := m.SetBoundary(n.boundary()); err != nil {
		return err
	}
	if err := textproto.WriteHeader(w, n.header(m.Boundary(), encoding)); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "This is a notification in MIME format.\r\n\r\n"); err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.append(m); err != nil {
			return err
		}
	}
	return m.Close()
}

func (p part) append(m *textproto.MultipartWriter) error {
	w, err := m.CreatePart(header(
		field{"Content-Description", p.description},
		field{"Content-Type", p.mediaType},
		field{"Content-Transfer-Encoding", p.encoding},
	))
	if err != nil {
		return err
	}
	if p.encoding != "quoted-printable" {
		p.write(w)
		return nil
	}
	q := quotedprintable.NewWriter(w)
	p.write(q)
	return q.Close()
}

// boundary is made of what is returned, so that a message cannot hold the boundary of the notification about it.
func (n *notification) boundary() string {
	h := sha256.New()
	io.WriteString(h, n.id+"\n")
	h.Write(n.original.octets)
	return "=_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// header is the notification's own. Its sender answers to nobody, and says that no person wrote it (RFC 3834 §5).
func (n *notification) header(boundary, encoding string) textproto.Header {
	fields := []field{
		{"Date", n.now.Format(time.RFC1123Z)},
		{"From", "Mail Delivery System <MAILER-DAEMON@" + n.host() + ">"},
		{"To", clean(n.From.String(), smtp.UTF8)},
		{"Subject", n.subject()},
		{"Message-ID", "<" + word(n.id) + "@" + n.host() + ">"},
	}
	if id := n.original.messageID; id != "" { // RFC 3834 §3.1.6
		fields = append(fields, field{"In-Reply-To", id}, field{"References", id})
	}
	return header(append(fields,
		field{"Auto-Submitted", "auto-replied"},
		field{"MIME-Version", "1.0"},
		field{"Content-Type", `multipart/report; report-type=delivery-status; boundary="` + boundary + `"`},
		field{"Content-Transfer-Encoding", encoding},
	)...)
}

// host is the Reporting-MTA.
func (n *notification) host() string {
	if !smtp.IsDomain(n.Hostname, smtp.ASCII) && !smtp.IsAddressLiteral(n.Hostname) {
		return "localhost"
	}
	return n.Hostname
}

// A survey is a Writer that keeps nothing but what it takes to choose an encoding.
type survey struct {
	size    int64
	wide    bool // an octet above ASCII
	longest int  // line, without its line end
	line    int
}

// Write never fails.
func (s *survey) Write(b []byte) (int, error) {
	for _, c := range b {
		switch {
		case c == '\n':
			s.line = -1
		case c == '\r':
			s.line--
		case c >= 0x80:
			s.wide = true
		}
		s.line++
		s.longest = max(s.longest, s.line)
	}
	s.size += int64(len(b))
	return len(b), nil
}

// sendable says whether what was written can be sent without an encoding, but for octets above ASCII.
func (s *survey) sendable() bool { return s.longest <= maxLine }
