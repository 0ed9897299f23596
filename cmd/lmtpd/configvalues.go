package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os/user"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
)

// The parsers of single values. Their errors say what is wrong with the value; the caller says where it stands.

func parseHostname(s string) (string, error) {
	if !smtp.IsDomain(s, smtp.ASCII) {
		return "", fmt.Errorf("%q is not a domain", s)
	}
	return s, nil
}

func parsePath(s string) (string, error) {
	switch {
	case s == "":
		return "", errors.New("is empty")
	case strings.HasPrefix(s, "~"):
		return "", errors.New("~ is not expanded here; write the whole path")
	case strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s):
		return "", fmt.Errorf("%q is not a path", s)
	}
	return s, nil
}

// parseDomain reads a domain or an address literal, lower-cased, because domains are compared without regard
// to case (RFC 5321 §2.4).
func parseDomain(s string) (string, error) {
	if strings.Contains(s, "@") {
		return "", fmt.Errorf("%q is not a domain: leave out the local-part and the @", s)
	}
	if !smtp.IsDomain(s, smtp.UTF8) && !smtp.IsAddressLiteral(s) {
		return "", fmt.Errorf("%q is not a domain", s)
	}
	return delivery.FoldDomain(s), nil
}

// parseAccounts reads where accounts are looked up: "any", "system", "file:PATH" or "sqlite:PATH".
func parseAccounts(s string) (string, error) {
	kind, path, _ := strings.Cut(s, ":")
	switch kind {
	case "any", "system":
		if s != kind {
			return "", fmt.Errorf("%q: nothing follows %s", s, kind)
		}
		return s, nil
	case "file", "sqlite":
		if path == "" {
			return "", fmt.Errorf("%s needs a path, as in %s", kind, map[string]string{
				"file": "file:/etc/lmtpd/users", "sqlite": "sqlite:/etc/lmtpd/users.db",
			}[kind])
		}
		_, err := parsePath(path)
		return s, err
	}
	return "", fmt.Errorf("unknown kind of accounts %q%s", s, didYouMean("", s, []string{"any", "system", "file", "sqlite"}))
}

// sizeUnits are the suffixes of a size. "M" alone is not among them: to some it is 10⁶, to others 2²⁰.
var sizeUnits = [...]struct {
	suffix string
	octets int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1}, {"", 1},
}

func parseSize(s string) (int64, error) {
	bad := fmt.Errorf(`%q is not a size such as "50MiB", "50MB" or 52428800`, s)
	for _, unit := range sizeUnits {
		number, ok := strings.CutSuffix(s, unit.suffix)
		if !ok {
			continue
		}
		number = strings.ReplaceAll(strings.TrimSpace(number), "_", "")
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange) || err == nil && n > math.MaxInt64/unit.octets:
			return 0, fmt.Errorf("%q is too large", s)
		case err != nil:
			return 0, bad
		case n < 1:
			return 0, fmt.Errorf("%q is not a size: it must be at least 1", s)
		}
		return n * unit.octets, nil
	}
	return 0, bad
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, is := strings.CutSuffix(s, "d"); is { // which time.ParseDuration does not know
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil {
		return 0, fmt.Errorf(`%q is not a duration such as "30s", "5m" or "2d"`, s)
	}
	if d <= 0 {
		return 0, fmt.Errorf("%q must be more than nothing", s)
	}
	return d, nil
}

func parseMode(s string) (fs.FileMode, error) {
	n, err := strconv.ParseUint(s, 8, 32)
	if err != nil || n > 0o777 {
		return 0, fmt.Errorf(`%q is not a mode such as "0660"`, s)
	}
	return fs.FileMode(n), nil
}

// parseUser reads a user's name or number.
func parseUser(s string) (int, error) {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return int(n), nil
	}
	u, err := user.Lookup(s)
	var unknown user.UnknownUserError
	switch {
	case errors.As(err, &unknown):
		return 0, fmt.Errorf("there is no user %q on this system", s)
	case err != nil:
		return 0, fmt.Errorf("cannot look up user %q: %w", s, err)
	}
	return strconv.Atoi(u.Uid)
}

// parseGroup reads a group's name or number.
func parseGroup(s string) (int, error) {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return int(n), nil
	}
	g, err := user.LookupGroup(s)
	var unknown user.UnknownGroupError
	switch {
	case errors.As(err, &unknown):
		return 0, fmt.Errorf("there is no group %q on this system", s)
	case err != nil:
		return 0, fmt.Errorf("cannot look up group %q: %w", s, err)
	}
	return strconv.Atoi(g.Gid)
}
