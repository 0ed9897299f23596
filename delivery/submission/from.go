package submission

import (
	"io"
	"mime"
	"net/mail"
	"regexp"
	"strings"

	"lmtpd/protocol/smtp"
)

// maxFrom is how long From may be to be looked at. Longer ones are refused.
const maxFrom = 64 << 10

// A from looks at the From of a message: there must be one at most, and each mailbox in it must be the client's.
type from struct {
	check func(address smtp.Path) smtp.Reply // the zero Reply: it is
	value strings.Builder
	count int
	long  bool
}

// begin begins a field.
func (f *from) begin() { f.count++ }

// add adds octets of its value.
func (f *from) add(p []byte) {
	if f.value.Len()+len(p) > maxFrom {
		f.long = true
		return
	}
	f.value.Write(p)
}

// verdict is the refusal, or the zero Reply. A message without From is somebody else's trouble; one with two, of which programs
// show now the one and now the other, is refused.
func (f *from) verdict() smtp.Reply {
	switch {
	case f.count == 0:
		return smtp.Reply{}
	case f.count > 1 || f.long:
		return notYoursFrom
	}
	addresses, ok := addressesOf(f.value.String())
	if !ok {
		return notYoursFrom
	}
	for _, a := range addresses {
		if r := f.check(a); !r.IsZero() {
			return r
		}
	}
	return smtp.Reply{}
}

// bare matches a mailbox without a domain: a local-part, with or without a name before it.
var bare = regexp.MustCompile(`^(?:[^<>@]*<([^<>@\s]+)>|([^<>@\s,:;"()\\]+))$`)

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
		paths = append(paths, smtp.Path{Local: a.Address[:at], Domain: a.Address[at+1:]})
	}
	return paths, true
}

// passed lets names be in any charset: nobody looks at them here.
func passed(_ string, r io.Reader) (io.Reader, error) { return r, nil }
