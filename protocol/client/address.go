package client

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Errors of ParseAddress.
var (
	ErrScheme     = errors.New("only LMTP is spoken: lmtp://HOST:PORT or lmtp+unix:PATH")
	ErrBadAddress = errors.New("malformed server address")
)

// lmtpPort is the port that IANA assigned to LMTP.
const lmtpPort = "24"

// An Address says where a server listens and what it speaks there.
type Address struct {
	Dialect Dialect
	Network string // "tcp" or "unix", as package net names them
	Name    string // "host:port", or the path of the socket
}

// String returns the address as a URL that ParseAddress reads.
func (a Address) String() string {
	if a.Network == "unix" {
		return a.Dialect.scheme + "+unix:" + a.Name
	}
	return a.Dialect.scheme + "://" + a.Name
}

// ParseAddress reads lmtp://HOST:PORT (port 24 if none is given), lmtp+unix:PATH and unix:PATH. It returns
// ErrScheme for every other scheme and ErrBadAddress for what is no address at all.
func ParseAddress(s string) (Address, error) {
	scheme, rest, found := strings.Cut(s, ":")
	if !found {
		return Address{}, fmt.Errorf("%w: %q", ErrBadAddress, s)
	}
	a := Address{Dialect: LMTP(), Network: "tcp"}
	switch strings.ToLower(scheme) {
	case "lmtp+unix", "unix":
		a.Network, a.Name = "unix", unixPath(rest)
	case "lmtp":
		a.Name = hostPort(s)
	default:
		return Address{}, fmt.Errorf("%w, not %q", ErrScheme, s)
	}
	if a.Name == "" {
		return Address{}, fmt.Errorf("%w: %q", ErrBadAddress, s)
	}
	return a, nil
}

// unixPath takes off the empty authority of a URL such as unix:///run/lmtpd.
func unixPath(rest string) string {
	if strings.HasPrefix(rest, "///") {
		return rest[2:]
	}
	return rest
}

// hostPort returns the host and port of a URL that has nothing else, or "".
func hostPort(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	port := cmp.Or(u.Port(), lmtpPort)
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 { // nobody listens on port 0
		return ""
	}
	return net.JoinHostPort(u.Hostname(), port)
}
