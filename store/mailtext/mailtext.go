// Package mailtext gives the text of a message that people look for: subject, names and addresses, and what there is to
// read in its parts (RFC 5322 §3.6, RFC 2045, RFC 2046, RFC 2047).
//
// Any octets have a text, and getting it is bounded: in what is read of a message, of a header and of a part, in depth, in the
// number of parts, and in the text that comes out. What is malformed is taken for what can be had of it: a field whose
// addresses cannot be parsed as it stands, a part that cannot be decoded as octets, what is not UTF-8 as Windows-1252, a line
// of a header that is no field as text. Of alternatives the first counts, unless another has much more to say. Of an
// attachment the name counts, and nothing else of what is not text.
//
// Single parts are decoded by github.com/emersion/go-message. Its parser of whole messages stops at the first malformed field
// and sets no limit to the headers of parts, nor to their depth, so messages are divided into parts here.
//
// Not done: enriched text, calendars and vCards as anything but text, encrypted parts, documents of offices.
package mailtext

import (
	"bufio"
	"io"

	"lmtpd/store"
)

// What is looked at of a message, and what is kept.
const (
	maxMessage = 64 << 20  // octets that are read
	maxHeader  = 256 << 10 // octets of a header that are looked at
	maxFields  = 2000      // fields of it
	maxField   = 64 << 10  // octets of a field
	maxPart    = 1 << 20   // octets of a part, decoded
	maxParts   = 500       // in all
	maxDepth   = 20        // of parts in parts
	lineOctets = 16 << 10  // that are looked at in one piece

	subjectOctets = 4 << 10
	addressOctets = 16 << 10
	bodyOctets    = 256 << 10
)

// Extract reads a message to its end, or to the limit, and returns its text. If it cannot be read, or has something in it that
// this package cannot do, the text is what was had until then.
func Extract(message io.Reader) (t store.Text) {
	e := newExtraction(message)
	defer func() {
		recover() // it is a stranger's message: no mistake here may cost more than some of its own text
		t = e.done()
	}()
	e.message()
	return t
}

// An extraction is the text of one message in the making.
type extraction struct {
	*lines
	subject, author, recipients, body squeezer
	parts                             int
}

func newExtraction(message io.Reader) *extraction {
	return &extraction{
		lines:      &lines{in: bufio.NewReaderSize(io.LimitReader(message, maxMessage), lineOctets), fresh: true, met: none},
		subject:    squeezer{limit: subjectOctets},
		author:     squeezer{limit: addressOctets},
		recipients: squeezer{limit: addressOctets},
		body:       squeezer{limit: bodyOctets},
	}
}

func (e *extraction) done() store.Text {
	return store.Text{
		Subject:    e.subject.String(),
		Author:     e.author.String(),
		Recipients: e.recipients.String(),
		Body:       e.body.String(),
	}
}

// message takes the fields of the message, then its parts.
func (e *extraction) message() {
	h := e.header()
	addText(&e.subject, h, "Subject")
	addAddresses(&e.author, h, "From", "Sender", "Reply-To")
	addAddresses(&e.recipients, h, "To", "Cc", "Bcc")
	e.entity(h, 0)
}
