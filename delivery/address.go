package delivery

import (
	"strings"
	"unicode"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// An address is a recipient's, taken apart. The domain is in lower case, and so is the local-part, but for the detail.
type address struct {
	local  string // the local-part, whole
	base   string // without the detail
	detail string // as it was written
	domain string
}

// MailboxName returns the name by which stores know the mailbox of a recipient: its address with local-part and
// domain in lower case, as other delivery agents fold them (RFC 5321 §2.4 leaves the local-part to us). A
// recipient without a domain, which can only be postmaster, is at home in domain.
func MailboxName(to smtp.Path, domain string) (string, error) {
	if to.Domain != "" {
		domain = to.Domain
	}
	if to.Local == "" {
		return "", store.ErrNoMailbox
	}
	to = Fold(smtp.Path{Local: to.Local, Domain: domain})
	return to.Local + "@" + to.Domain, nil
}

// Fold puts a mailbox, or a local-part or domain alone, in the form in which it is looked up.
func Fold(p smtp.Path) smtp.Path {
	return smtp.Path{Local: strings.Map(foldRune, p.Local), Domain: FoldDomain(p.Domain)}
}

// foldRune puts a letter in lower case, but none of other scripts into ASCII: the Kelvin sign is no k, and a mailbox
// of that name is not its neighbour's.
func foldRune(r rune) rune {
	if l := unicode.ToLower(r); r < unicode.MaxASCII || l > unicode.MaxASCII {
		return l
	}
	return r
}

// locate says which block a recipient belongs to, nil if none, and takes its address apart. A recipient without a domain,
// which can only be postmaster, is at home in the first.
func (a *Agent) locate(to smtp.Path) (*Block, address) {
	domain := FoldDomain(to.Domain)
	if domain == "" {
		domain = FoldDomain(a.cfg.Blocks[0].Domains[0])
	}
	b := a.domains[domain]
	if b == nil {
		return nil, address{local: to.Local, base: to.Local, domain: domain}
	}
	return b, b.split(to.Local, domain)
}

// split takes a local-part apart at the first of the delimiters (RFC 5233 §4). One that begins with a delimiter has
// no detail.
func (b *Block) split(local, domain string) address {
	a := address{local: strings.Map(foldRune, local), domain: domain}
	if i := strings.IndexAny(local, b.Delimiters); i > 0 {
		a.base, a.detail = strings.Map(foldRune, local[:i]), local[i+1:]
	} else {
		a.base = a.local
	}
	return a
}

// folder says which folder a detail stands for. Levels may be divided by dots, as in Maildir++ and thus by Dovecot.
// What is no name of a folder is the inbox.
func (b *Block) folder(detail string) (folder string, missing store.Missing) {
	switch b.Detail {
	case DetailFolder:
		missing = store.UseInbox
	case DetailCreate:
		missing = store.MakeOrInbox
	default:
		return "", store.MakeFolder
	}
	levels, err := store.Levels(strings.ReplaceAll(detail, ".", "/"))
	if err != nil || len(levels) == 0 {
		return "", store.MakeFolder
	}
	return strings.Join(levels, "/"), missing
}
