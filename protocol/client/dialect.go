package client

// A Dialect is what differs between the protocols a client may speak: the verb of the hello, and how many
// replies follow the final dot. Nothing else in this package knows the difference. The zero Dialect is none.
type Dialect struct {
	hello  string // the verb
	old    string // a second one, without extensions, for servers that do not know the first; "" for none
	scheme string // of the URL
	each   bool   // whether every accepted recipient has a reply of its own after the final dot
}

// LMTP returns the dialect of RFC 2033: LHLO, and one reply for each accepted recipient (§4.2).
func LMTP() Dialect { return Dialect{hello: "LHLO", scheme: "lmtp", each: true} }

// ESMTP returns the dialect of RFC 5321: EHLO, or HELO where a server does not know that (§3.2), and one reply for all.
func ESMTP() Dialect { return Dialect{hello: "EHLO", old: "HELO", scheme: "smtp"} }

// IsZero says whether d is no dialect.
func (d Dialect) IsZero() bool { return d.hello == "" }

// replies returns how many replies follow the final dot when that many recipients were accepted.
func (d Dialect) replies(accepted int) int {
	if d.each {
		return accepted
	}
	return 1
}

// answered returns whom, of the accepted recipients, the reply number n after the final dot is about.
func (d Dialect) answered(n int, accepted []int) []int {
	if d.each {
		return accepted[n : n+1]
	}
	return accepted
}
