package submission

import (
	"io"
	"mime"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"lmtpd/protocol/smtp"
)

// What a field may name to be looked at. More is refused.
const (
	maxOctets    = 64 << 10
	maxMailboxes = 100 // each is looked up
)

// authors look at who has written a message, as From says, and who has sent it, as Sender does (RFC 5322 §3.6.2). People are shown
// both, so each mailbox in them must be the client's.
type authors struct {
	check        func(address smtp.Path, refusal smtp.Reply) smtp.Reply // the zero Reply: it is the client's
	from, sender mailboxes
}

// of returns what a field of a lower-cased name says, nil if nobody looks at it.
func (a *authors) of(name string) *mailboxes {
	switch {
	case a == nil:
	case name == "from":
		return &a.from
	case name == "sender":
		return &a.sender
	}
	return nil
}

// verdict is the refusal, or the zero Reply.
func (a *authors) verdict() smtp.Reply {
	for _, field := range [...]struct {
		*mailboxes
		refusal smtp.Reply
	}{{&a.from, notYoursFrom}, {&a.sender, notYoursSender}} {
		addresses, ok := field.addresses()
		if !ok {
			return field.refusal
		}
		for _, address := range addresses {
			if r := a.check(address, field.refusal); !r.IsZero() {
				return r
			}
		}
	}
	return smtp.Reply{}
}

// mailboxes is what a field says.
type mailboxes struct {
	value strings.Builder
	count int // of such fields
	long  bool
}

// add adds octets of its value.
func (m *mailboxes) add(p []byte) {
	if m.value.Len()+len(p) > maxOctets {
		m.long = true
		return
	}
	m.value.Write(p)
}

// addresses returns the mailboxes, each once. That there is no such field is somebody else's trouble; of two, programs show now
// the one and now the other, which is not ok.
func (m *mailboxes) addresses() ([]smtp.Path, bool) {
	if m.count == 0 {
		return nil, true
	}
	if m.count > 1 || m.long {
		return nil, false
	}
	return addressesOf(m.value.String())
}

// bare matches a mailbox without a domain: a local-part, with or without a name before it. What could divide two of them is in
// neither.
var bare = regexp.MustCompile(`^(?:[^<>@,:;()\\]*<([^<>@\s,:;"()\\]+)>|([^<>@\s,:;"()\\]+))$`)

// addressesOf reads the mailboxes of From (RFC 5322 §3.6.2, RFC 6854). What cannot be read is not ok: a program may see another
// address in it than we do. One without a domain is left as it is (RFC 6409 §8.1).
func addressesOf(value string) ([]smtp.Path, bool) {
	value = strings.TrimSpace(strings.ReplaceAll(value, "\r\n", ""))
	if m := bare.FindStringSubmatch(value); m != nil {
		return []smtp.Path{{Local: m[1] + m[2]}}, true
	}
	p := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: passed}}
	list, err := p.ParseList(value)
	if err != nil || len(list) == 0 {
		return nil, false
	}
	var paths []smtp.Path
	for _, a := range list {
		at := strings.LastIndexByte(a.Address, '@')
		if at < 0 {
			return nil, false
		}
		if p := (smtp.Path{Local: a.Address[:at], Domain: a.Address[at+1:]}); !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
		if len(paths) > maxMailboxes {
			return nil, false
		}
	}
	return paths, true
}

// passed lets names be in any charset: nobody looks at them here.
func passed(_ string, r io.Reader) (io.Reader, error) { return r, nil }
