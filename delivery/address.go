package delivery

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"lmtpd/delivery/alias"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// MailboxName returns the name by which stores know the mailbox of a recipient: its address with local-part and
// domain in lower case, as other delivery agents fold them (RFC 5321 §2.4 leaves the local-part to us). A
// recipient without a domain, which can only be postmaster, is at home in domain.
func MailboxName(to smtp.Path, domain string) (string, error) {
	if to.Local == "" {
		return "", store.ErrNoMailbox
	}
	if to.Domain == "" {
		to.Domain = domain
	}
	to = Fold(to)
	return to.Local + "@" + to.Domain, nil
}

// Fold puts an address, or a local-part or domain alone, in the one form by which it is looked up: lower case, and for a
// local-part that is not ASCII the normalization form C (RFC 6532 §3.1), for what looks alike is to be alike. Composing
// can make a capital of a letter that has no lower case by itself, and putting it in lower case marks that can be composed.
func Fold(p smtp.Path) smtp.Path {
	return smtp.Path{Local: normal(lower(normal(p.Local))), Domain: FoldDomain(p.Domain)}
}

// lower puts a name in lower case. Octets that are not UTF-8 stay as they are, for a name that was mended would be somebody
// else's.
func lower(s string) string {
	if utf8.ValidString(s) {
		return strings.Map(foldRune, s)
	}
	b := make([]byte, 0, len(s))
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError {
			b = append(b, s[:n]...)
		} else {
			b = utf8.AppendRune(b, foldRune(r))
		}
		s = s[n:]
	}
	return string(b)
}

// foldRune puts a letter in lower case, but none of other scripts into ASCII: the Kelvin sign is no k, and a mailbox
// of that name is not its neighbour's.
func foldRune(r rune) rune {
	if l := unicode.ToLower(r); r < unicode.MaxASCII || l > unicode.MaxASCII {
		return l
	}
	return r
}

// normal puts a name in normalization form C, but for the characters that would become ASCII: the Kelvin sign, the Greek
// question mark and the varia.
func normal(s string) string {
	const strangers = "\u212a\u037e\u1fef"
	i := strings.IndexAny(s, strangers)
	if i < 0 {
		return norm.NFC.String(s)
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return norm.NFC.String(s[:i]) + s[i:i+n] + normal(s[i+n:])
}

// locate says which block a recipient belongs to, nil if none, and takes its address apart. A recipient without a domain,
// which can only be postmaster, is at home in the first.
func (a *Agent) locate(to smtp.Path) (*Block, alias.Address) {
	if to.Domain == "" {
		to.Domain = a.cfg.Blocks[0].Domains[0]
	}
	folded := Fold(to)
	b := a.domains[folded.Domain]
	if b == nil {
		return nil, alias.Split(folded, "")
	}
	addr := alias.Split(folded, b.Delimiters)
	addr.Detail = alias.Split(to, b.Delimiters).Detail // as it was written
	return b, addr
}

// whole is the address without a detail that stands apart.
func whole(addr alias.Address) alias.Address {
	return alias.Address{Local: Fold(addr.Path()).Local, Domain: addr.Domain}
}

// folder says which folder a detail, with its delimiter, stands for. Levels may be divided by dots, as in Maildir++ and
// thus by Dovecot. What is no name of a folder is the inbox.
func (b *Block) folder(detail string) (folder string, missing store.Missing) {
	switch b.Detail {
	case DetailFolder:
		missing = store.UseInbox
	case DetailCreate:
		missing = store.MakeOrInbox
	default:
		return "", store.MakeFolder
	}
	if detail == "" {
		return "", store.MakeFolder
	}
	levels, err := store.Levels(normal(strings.ReplaceAll(detail[1:], ".", "/")))
	if err != nil || len(levels) == 0 {
		return "", store.MakeFolder
	}
	return strings.Join(levels, "/"), missing
}
