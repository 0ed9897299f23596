package client

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Errors of ParseAddress.
var (
	ErrScheme     = errors.New("the scheme is one of lmtp, lmtps, smtp, submission, smtps, submissions, unix, lmtp+unix and smtp+unix")
	ErrBadAddress = errors.New("malformed server address")
)

// An Address says where a server listens and what it speaks there.
type Address struct {
	Dialect Dialect
	Network string // "tcp" or "unix", as package net names them
	Name    string // "host:port", or the path of the socket
	TLS     bool   // from the first octet (RFC 8314 §3)
}

// A scheme is the first part of a URL that ParseAddress reads.
type scheme struct {
	name    string
	dialect Dialect
	port    string // if none is given; "": it is for unix sockets
	tls     bool
}

// schemes are all that there are; the first that fits an address is its own. Ports are those that IANA has assigned.
func schemes() []scheme {
	return []scheme{
		{"lmtp", LMTP(), "24", false},
		{"lmtps", LMTP(), "24", true},
		{"smtp", ESMTP(), "25", false},
		{"submission", ESMTP(), "587", false},
		{"smtps", ESMTP(), "465", true},
		{"submissions", ESMTP(), "465", true},
		{"lmtp+unix", LMTP(), "", false},
		{"smtp+unix", ESMTP(), "", false},
		{"unix", LMTP(), "", false},
	}
}

// String returns the address as a URL that ParseAddress reads.
func (a Address) String() string {
	for _, s := range schemes() {
		if s.dialect == a.Dialect && s.tls == a.TLS && (s.port == "") == (a.Network == "unix") {
			if s.port == "" {
				return s.name + ":" + a.Name
			}
			return s.name + "://" + strings.Replace(a.Name, "%", "%25", 1) // that of a zone (RFC 6874 §2)
		}
	}
	return a.Network + ":" + a.Name
}

// Host returns the host's name or address, "" for a unix socket.
func (a Address) Host() string {
	if a.Network == "unix" {
		return ""
	}
	host, _, _ := net.SplitHostPort(a.Name)
	return host
}

// ParseAddress reads lmtp://HOST:PORT (port 24 if none is given), smtp://HOST:PORT (25), submission://HOST:PORT (587), and with TLS
// from the first octet lmtps://HOST:PORT (24), smtps://HOST:PORT and submissions://HOST:PORT (465); lmtp+unix:PATH, smtp+unix:PATH and
// unix:PATH, which is LMTP. It returns ErrScheme for every other scheme and ErrBadAddress for what is no address at all.
func ParseAddress(s string) (Address, error) {
	name, rest, found := strings.Cut(s, ":")
	if !found {
		return Address{}, fmt.Errorf("%w: %q", ErrBadAddress, s)
	}
	for _, known := range schemes() {
		if !strings.EqualFold(known.name, name) {
			continue
		}
		a := Address{Dialect: known.dialect, Network: "tcp", TLS: known.tls}
		if known.port == "" {
			a.Network, a.Name = "unix", unixPath(rest)
		} else {
			a.Name = hostPort(s, known.port)
		}
		if a.Name == "" {
			return Address{}, fmt.Errorf("%w: %q", ErrBadAddress, s)
		}
		return a, nil
	}
	return Address{}, fmt.Errorf("%w, not %q", ErrScheme, s)
}

// unixPath takes off the empty authority of a URL such as unix:///run/lmtpd.
func unixPath(rest string) string {
	if strings.HasPrefix(rest, "///") {
		return rest[2:]
	}
	return rest
}

// hostPort returns the host and port of a URL that has nothing else, or "".
func hostPort(s, port string) string {
	u, err := url.Parse(s)
	if err != nil || u.User != nil || !isHost(u.Hostname()) || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	port = cmp.Or(u.Port(), port)
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 { // nobody listens on port 0
		return ""
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// isHost says whether s is an IP address or may be a host's name.
func isHost(s string) bool {
	if strings.ContainsRune(s, ':') {
		_, err := netip.ParseAddr(s)
		return err == nil
	}
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}
