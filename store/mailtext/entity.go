package mailtext

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"strings"

	"github.com/emersion/go-message"
)

// entity takes the text of what follows a header (RFC 2045 §2.4), up to the boundary behind it.
func (e *extraction) entity(h message.Header, depth int) {
	defer e.skip()
	kind, params, err := h.ContentType()
	if err != nil && kind == "" {
		kind = "text/plain" // RFC 2045 §5.2
	}
	if _, disposition, err := h.ContentDisposition(); err == nil {
		e.attachment(disposition["filename"])
	}
	boundary := params["boundary"]
	if boundary == "" {
		boundary = boundaryOf(h.Get("Content-Type"))
	}
	multipart := strings.HasPrefix(kind, "multipart/")
	switch {
	case depth >= maxDepth:
	case multipart && boundary != "":
		e.multipart(kind, boundary, depth)
	case kind == "message/rfc822" || kind == "message/global":
		e.forwarded(depth)
	case kind == "text/html":
		e.html(e.decoded(h))
	case strings.HasPrefix(kind, "text/") || multipart:
		e.body.add(e.decoded(h))
		e.body.add("\n")
	}
}

func (e *extraction) attachment(name string) {
	if name != "" {
		e.body.add(toUTF8([]byte(name)))
		e.body.add("\n")
	}
}

// multipart takes the text of the parts.
func (e *extraction) multipart(kind, boundary string, depth int) {
	level := e.enter(boundary)
	defer e.leave(level)
	before := e.body.mark()
	for n := 0; e.parts < maxParts && e.part(level); n++ {
		e.parts++
		start := e.body.mark()
		e.entity(e.header(), depth+1)
		if kind == "multipart/alternative" && n > 0 {
			e.body.choose(before, start)
		}
	}
}

// forwarded takes the text of a message in a part, with its fields.
func (e *extraction) forwarded(depth int) {
	h := e.header()
	addText(&e.body, h, "Subject")
	addAddresses(&e.body, h, "From", "Sender", "Reply-To", "To", "Cc", "Bcc")
	e.entity(h, depth+1)
}

// decoded reads a part, its transfer encoding and character set decoded (RFC 2045 §6).
func (e *extraction) decoded(h message.Header) string {
	raw, _ := io.ReadAll(io.LimitReader(e.lines, maxPart)) // what cannot be read is not there
	octets, err := decode(h, raw)
	if err != nil {
		plain := h.Copy()
		plain.Set(transferEncoding, "8bit")
		octets, _ = decode(plain, mend(h.Get(transferEncoding), raw, octets))
	}
	return toUTF8(octets)
}

const transferEncoding = "Content-Transfer-Encoding"

// decode decodes octets. Those of an encoding or a character set that is not known stay as they are.
func decode(h message.Header, raw []byte) ([]byte, error) {
	part, _ := message.New(h, bytes.NewReader(raw))
	return io.ReadAll(io.LimitReader(part.Body, maxPart))
}

// mend makes the best of octets that are not of the encoding they are said to be, of which so much could be decoded.
func mend(encoding string, raw, decoded []byte) []byte {
	if !strings.EqualFold(encoding, "quoted-printable") {
		if 2*len(decoded) >= len(raw) {
			return decoded
		}
		return raw
	}
	var all []byte
	for line := range bytes.Lines(raw) {
		octets, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(line)))
		if err != nil {
			octets = line
		}
		all = append(all, octets...)
	}
	return all
}
