package srs

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"lmtpd/protocol/smtp"
)

// Errors of Reverse.
var (
	// ErrNotRewritten says that a path is an address like others: not of the rewriter's domain, or without the form of the scheme.
	ErrNotRewritten = errors.New("not a rewritten address")
	// ErrForged says that a path has the form, but not been made with any of the secrets.
	ErrForged = errors.New("rewritten address with a wrong hash")
	// ErrExpired says that a path was made too long ago.
	ErrExpired = errors.New("rewritten address is out of date")
)

// The words that rewritten local-parts start with.
const (
	tag0 = "SRS0"
	tag1 = "SRS1"
)

// separators are what may follow them. All else is divided by "=".
const separators = "=-+"

// Config is what a Rewriter needs.
type Config struct {
	Domain  string   // of the rewritten addresses; mail to it has to come back here
	Secrets []string // the first signs, all verify: a new one is put in front, an old one is kept for three weeks
	Now     func() time.Time
}

// A Rewriter rewrites reverse-paths, and takes them back. Its methods may be called from many goroutines.
type Rewriter struct{ cfg Config }

// New returns a Rewriter.
func New(cfg Config) (*Rewriter, error) {
	if !smtp.IsDomain(cfg.Domain, smtp.UTF8) {
		return nil, fmt.Errorf("%q is not a domain", cfg.Domain)
	}
	if len(cfg.Secrets) == 0 {
		return nil, errors.New("no secret")
	}
	for _, s := range cfg.Secrets {
		if s == "" {
			return nil, errors.New("a secret is empty")
		}
	}
	return &Rewriter{cfg}, nil
}

// Forward returns the reverse-path to forward a message with. The null reverse-path, one without a domain and one of the domain
// itself stay as they are.
//
// QUIRK: a local-part may be longer than the 64 octets of RFC 5321 §4.5.3.1.1 then. As with libsrs2 it is sent so: few mail hosts
// mind, while to mail with the sender's own domain many do. Only a path that would be longer than any is, smtp.MaxPath, is left
// as it is.
func (r *Rewriter) Forward(p smtp.Path) smtp.Path {
	if p.Domain == "" || smtp.EqualFold(p.Domain, r.cfg.Domain) {
		return p
	}
	q := smtp.Path{Local: r.rewrite(p), Domain: r.cfg.Domain}
	if len(q.String()) > smtp.MaxPath {
		return p
	}
	return q
}

func (r *Rewriter) rewrite(p smtp.Path) string {
	host, user := p.Domain, p.Local
	switch tag, rest := cutTag(p.Local); tag {
	case tag0:
		return r.again(host, rest)
	case tag1:
		if _, first, rest, ok := cutFirst(rest); ok {
			return r.again(first, rest)
		}
	}
	day := stamp(r.cfg.Now())
	return strings.Join([]string{tag0, hash(r.cfg.Secrets[0], day, host, user), day, host, user}, "=")
}

// again is an SRS1: who has rewritten first, and what followed SRS0 there.
func (r *Rewriter) again(first, rest string) string {
	return strings.Join([]string{tag1, hash(r.cfg.Secrets[0], first, rest), first, rest}, "=")
}

// Reverse returns the path that Forward has been given, or, of an SRS1, the SRS0 of who has rewritten first. An error is one of
// the above.
func (r *Rewriter) Reverse(p smtp.Path) (smtp.Path, error) {
	if !smtp.EqualFold(p.Domain, r.cfg.Domain) {
		return smtp.Path{}, ErrNotRewritten
	}
	switch tag, rest := cutTag(p.Local); tag {
	case tag0:
		return r.reverse0(rest[1:])
	case tag1:
		return r.reverse1(rest)
	}
	return smtp.Path{}, ErrNotRewritten
}

func (r *Rewriter) reverse0(s string) (smtp.Path, error) {
	f := strings.SplitN(s, "=", 4)
	if len(f) < 4 || f[2] == "" {
		return smtp.Path{}, ErrNotRewritten
	}
	if !r.verify(f[0], f[1], f[2], f[3]) {
		return smtp.Path{}, ErrForged
	}
	if !current(f[1], r.cfg.Now()) {
		return smtp.Path{}, ErrExpired
	}
	return path(f[3], f[2])
}

// reverse1 asks for no date: the first has one, and will.
func (r *Rewriter) reverse1(s string) (smtp.Path, error) {
	sum, first, rest, ok := cutFirst(s)
	if !ok {
		return smtp.Path{}, ErrNotRewritten
	}
	if !r.verify(sum, first, rest) {
		return smtp.Path{}, ErrForged
	}
	return path(tag0+rest, first)
}

// path is what was found, if it is one. The hash does not tell where the domain ends, and the local-part may have anything in it.
func path(local, domain string) (smtp.Path, error) {
	p := smtp.Path{Local: local, Domain: domain}
	if again, err := smtp.ParseMailbox(p.String(), smtp.UTF8); err != nil || again != p {
		return smtp.Path{}, ErrNotRewritten
	}
	return p, nil
}

// cutTag divides a local-part of the scheme into its tag and what follows, which starts with a separator. Of any other the tag is
// "".
func cutTag(local string) (tag, rest string) {
	if len(local) <= len(tag0) || strings.IndexByte(separators, local[len(tag0)]) < 0 {
		return "", ""
	}
	switch tag = smtp.Upper(local[:len(tag0)]); tag {
	case tag0, tag1:
		return tag, local[len(tag0):]
	}
	return "", ""
}

// cutFirst divides what follows SRS1 into its hash, the host that rewrote first, and what followed SRS0 there: a separator at
// least. What names no host is not of the scheme.
func cutFirst(s string) (sum, first, rest string, ok bool) {
	f := strings.SplitN(s[1:], "=", 3)
	if len(f) < 3 || f[2] == "" || strings.IndexByte(separators, f[2][0]) < 0 ||
		!smtp.IsDomain(f[1], smtp.UTF8) && !smtp.IsAddressLiteral(f[1]) {
		return "", "", "", false
	}
	return f[0], f[1], f[2], true
}
