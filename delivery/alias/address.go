package alias

import (
	"strings"

	"lmtpd/protocol/smtp"
)

// An Address is a mailbox whose subaddress stands apart (RFC 5233 §1). Local-part and domain are folded, but the detail
// is as it was written, for it may name a folder.
type Address struct {
	Local  string // without the detail
	Detail string // with the delimiter before it, as in "+lists"; "" is none
	Domain string
}

// Split sets the detail of a mailbox apart. It begins at the first of the delimiters, but nothing is left with no
// local-part, and postmaster and mailer-daemon are never split.
//
// QUIRK: where - is a delimiter, owner-list and list-request are not split, as with Postfix: what is for the owner of
// a list or for its machinery is not for all of its members.
func Split(p smtp.Path, delimiters string) Address {
	a := Address{Local: p.Local, Domain: p.Domain}
	at := strings.IndexAny(p.Local, delimiters)
	switch {
	case at <= 0, p.IsPostmaster(), smtp.EqualFold(p.Local, "mailer-daemon"):
		return a
	case strings.Contains(delimiters, "-") && isOfList(p.Local):
		return a
	}
	a.Local, a.Detail = p.Local[:at], p.Local[at:]
	return a
}

// isOfList says whether a local-part is the owner's or the machinery's of a list.
func isOfList(local string) bool {
	const request = "-request"
	return hasPrefixFold(local, "owner-") || len(local) > len(request) && smtp.EqualFold(local[len(local)-len(request):], request)
}

// Path returns the mailbox with its detail where it belongs.
func (a Address) Path() smtp.Path { return smtp.Path{Local: a.Local + a.Detail, Domain: a.Domain} }

// String returns the mailbox as it is written, in quotes where it must be.
func (a Address) String() string { return a.Path().String() }
