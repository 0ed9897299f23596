package client

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"lmtpd/protocol/smtp"
)

// Errors of Send that come before MAIL; the connection stays as it was.
var (
	ErrNoRecipients = errors.New("no recipients")
	ErrNotOffered   = errors.New("server does not offer")
	ErrBinary       = errors.New("BINARYMIME content needs CRLF line ends as they are")
	ErrNullPath     = errors.New("a null forward-path")
)

// LineEnds says what is done with the line ends of content.
type LineEnds int

// The choices. ToCRLF is for files, whose lines end in LF: each LF without CR before it becomes CRLF, the rest
// stays. AsIs is for content that has its wire form already; a bare LF in it is sent and not taken for a line
// end, and what a lax server makes of that is the caller's care.
const (
	ToCRLF LineEnds = iota
	AsIs
)

// A Message is what one transaction hands over: an envelope and the content.
type Message struct {
	From       smtp.Path // zero: the null reverse-path
	Recipients []smtp.Recipient

	// Content is read to its end once the server asks for it; not at all if nobody is accepted. Where its last
	// line has no end, CRLF is added. nil is empty.
	Content  io.Reader
	LineEnds LineEnds
	// Chunking says that content goes with BDAT (RFC 3030 §2) where the server offers CHUNKING. That of BINARYMIME always does.
	Chunking bool
	// PRDR asks for a reply for each recipient where the server offers it (draft-hall-prdr). With LMTP there always is one.
	PRDR bool
	// Size is the number of octets with CRLF line ends, or an estimate (RFC 1870 §6.1); 0: not known.
	Size int64

	Body smtp.Body // what the content is; "" says nothing
	// UTF8 says that the message needs SMTPUTF8, as it does with non-ASCII in an address or header
	// (RFC 6531 §3.4).
	UTF8 smtp.Encoding

	// What to notify the sender of; these, and what Recipients have of it, are sent only to a server that
	// offers DSN (RFC 3461).
	Ret   smtp.Ret
	EnvID string
}

// check says whether the message can be written as commands that are one line each, and whether a server with
// these extensions can take it.
func (m *Message) check(ext Extensions) error {
	if len(m.Recipients) == 0 {
		return ErrNoRecipients
	}
	if m.Body == smtp.BodyBinary && m.LineEnds != AsIs {
		return ErrBinary
	}
	if m.Body == smtp.BodyBinary && !(ext.Has("BINARYMIME") && ext.Has("CHUNKING")) { // RFC 3030 §3
		return fmt.Errorf("%w BINARYMIME", ErrNotOffered)
	}
	if m.UTF8 == smtp.UTF8 && !ext.Has("SMTPUTF8") {
		return fmt.Errorf("%w SMTPUTF8", ErrNotOffered)
	}
	if err := m.checkWords(); err != nil {
		return err
	}
	if err := m.checkPath(m.From); err != nil {
		return fmt.Errorf("reverse-path %q: %w", m.From.String(), err)
	}
	for _, r := range m.Recipients {
		err := m.checkPath(r.To)
		if r.To.IsNull() {
			err = ErrNullPath
		}
		if err == nil && !r.Original.IsZero() {
			_, err = smtp.ParseOriginalRecipient(string(appendOriginal(nil, r.Original, m.UTF8)))
		}
		if err != nil {
			return fmt.Errorf("recipient %q: %w", r.To.String(), err)
		}
	}
	return nil
}

// checkWords checks the values that go into MAIL as they are.
func (m *Message) checkWords() error {
	if m.Body != "" {
		if _, err := smtp.ParseBody(string(m.Body)); err != nil {
			return fmt.Errorf("body %q: %w", m.Body, err)
		}
	}
	if m.Ret != "" {
		if _, err := smtp.ParseRet(string(m.Ret)); err != nil {
			return fmt.Errorf("ret %q: %w", m.Ret, err)
		}
	}
	if _, err := smtp.ParseEnvID(string(smtp.AppendXtext(nil, m.EnvID))); err != nil {
		return fmt.Errorf("envid %q: %w", m.EnvID, err)
	}
	return nil
}

// checkPath says whether p, as it would be written, is read as a path.
func (m *Message) checkPath(p smtp.Path) error {
	if p.IsNull() {
		return nil
	}
	_, err := smtp.ParseMailbox(p.String(), m.UTF8)
	return err
}

// appendMail appends MAIL with the parameters that ext allows. 8-bit content goes to a server without 8BITMIME
// too.
//
// QUIRK: RFC 6152 §3 wants such content converted to 7-bit or bounced. The servers that lack the extension
// and mangle the eighth bit are gone, and converting would break signatures.
func (m *Message) appendMail(b []byte, ext Extensions) []byte {
	b = append(b, "MAIL FROM:<"...)
	b = append(append(b, m.From.String()...), '>')
	if m.Size > 0 && ext.Has("SIZE") {
		b = strconv.AppendInt(append(b, " SIZE="...), m.Size, 10)
	}
	if m.Body != "" && (ext.Has("8BITMIME") || m.Body == smtp.BodyBinary) {
		b = append(append(b, " BODY="...), m.Body...)
	}
	if m.UTF8 == smtp.UTF8 {
		b = append(b, " SMTPUTF8"...)
	}
	if m.Ret != "" && ext.Has("DSN") {
		b = append(append(b, " RET="...), m.Ret...)
	}
	if m.EnvID != "" && ext.Has("DSN") {
		b = smtp.AppendXtext(append(b, " ENVID="...), m.EnvID)
	}
	if m.prdr(ext) {
		b = append(b, " PRDR"...)
	}
	return b
}

// prdr says whether a reply for each recipient is asked for.
func (m *Message) prdr(ext Extensions) bool { return m.PRDR && ext.Has("PRDR") }

// chunked says whether the content goes with BDAT.
func (m *Message) chunked(ext Extensions) bool {
	return m.Body == smtp.BodyBinary || m.Chunking && ext.Has("CHUNKING")
}

// appendRcpt appends RCPT for one of the recipients.
func (m *Message) appendRcpt(b []byte, r smtp.Recipient, ext Extensions) []byte {
	b = append(b, "RCPT TO:<"...)
	b = append(append(b, r.To.String()...), '>')
	if r.Notify != 0 && ext.Has("DSN") {
		b = append(append(b, " NOTIFY="...), r.Notify.String()...)
	}
	if !r.Original.IsZero() && ext.Has("DSN") {
		b = appendOriginal(append(b, " ORCPT="...), r.Original, m.UTF8)
	}
	return b
}

// appendOriginal appends the value of ORCPT. For type utf-8 it is utf-8-addr-unitext where SMTPUTF8 is in force,
// else utf-8-addr-xtext (RFC 6533 §3).
func appendOriginal(b []byte, o smtp.OriginalRecipient, enc smtp.Encoding) []byte {
	b = append(append(b, o.Type...), ';')
	if o.Type != "utf-8" {
		return smtp.AppendXtext(b, o.Address)
	}
	for _, c := range o.Address {
		if c <= ' ' || c == 0x7f || c > 0x7f && enc == smtp.ASCII || c == '+' || c == '=' || c == '\\' {
			b = append(b, `\x{`...)
			b = appendHex(b, c)
			b = append(b, '}')
		} else {
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

// appendHex appends a character's number in capitals, two digits at least (HEXPOINT, RFC 6533 §3).
func appendHex(b []byte, c rune) []byte { return fmt.Appendf(b, "%02X", c) }
