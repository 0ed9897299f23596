package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"lmtpd/protocol/server"
	"lmtpd/protocol/smtp"
)

// parseListener reads where to listen: "unix:PATH", "127.0.0.1:24", "[::1]:24", "localhost:24" or ":24".
func parseListener(s string) (Listen, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if path == "" {
			return Listen{}, fmt.Errorf("%q has no path", s)
		}
		if _, err := parsePath(path); err != nil {
			return Listen{}, err
		}
		if len(path) > server.MaxSocketPath {
			return Listen{}, fmt.Errorf("the path of a unix socket has at most %d octets, and this one %d", server.MaxSocketPath, len(path))
		}
		return newListen("unix", filepath.Clean(path)), nil
	}
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "./") {
		return Listen{}, fmt.Errorf("%q is not an address; a unix socket is written unix:%s", s, s)
	}
	host, port, err := splitAddress(s)
	if err != nil {
		return Listen{}, err
	}
	return newListen("tcp", net.JoinHostPort(host, port)), nil
}

func splitAddress(s string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(s)
	if err != nil {
		return "", "", fmt.Errorf("%q is not an address: %w", s, addressTrouble(s))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return "", "", fmt.Errorf("%q is not an address: its port %q is not a number up to 65535", s, port)
	}
	if host == "" || smtp.IsDomain(host, smtp.ASCII) && !looksNumeric(host) {
		return host, port, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", "", fmt.Errorf("%q is not an address: %q is neither an IP address nor a host", s, host)
	}
	return ip.String(), port, nil
}

// addressTrouble says why an address has no host and port.
func addressTrouble(s string) error {
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	switch {
	case err == nil && ip.Is6() && !strings.HasPrefix(s, "["):
		return errors.New("an IPv6 address stands in brackets, as in [::1]:24")
	case err == nil || !strings.Contains(s, ":"):
		return errors.New("the port is missing, as in 127.0.0.1:24")
	case strings.Count(s, ":") > 1:
		return errors.New("an IPv6 address stands in brackets, as in [::1]:24")
	}
	return errors.New("write HOST:PORT, as in 127.0.0.1:24")
}

// looksNumeric says whether a host of digits and dots can only be meant as an IPv4 address.
func looksNumeric(host string) bool { return strings.Trim(host, "0123456789.") == "" }

// parseClients reads one element of proxies or trust: "unix", an address, or a network in CIDR notation.
func parseClients(s string) (Clients, error) {
	if s == "unix" {
		return Clients{Unix: true}, nil
	}
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return Clients{Nets: []netip.Prefix{netip.PrefixFrom(ip, ip.BitLen())}}, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return Clients{}, fmt.Errorf(`%q is neither "unix" nor an address nor a network such as 192.0.2.0/24%s`, s, didYouMean("", s, []string{"unix"}))
	}
	if p.Addr().Is4In6() {
		return Clients{}, fmt.Errorf("%s: write IPv4 networks as such, as in 192.0.2.0/24", p)
	}
	if p.Masked() != p {
		return Clients{}, fmt.Errorf("%s has bits set behind its length; write %s", s, p.Masked())
	}
	return Clients{Nets: []netip.Prefix{p}}, nil
}
