package auth

import "strings"

// A digestChallenge is the server's first message of DIGEST-MD5 (RFC 2831 §2.1.1).
type digestChallenge struct {
	realms []string
	nonce  string
	utf8   bool // what is said is UTF-8; otherwise ISO 8859-1
}

// maxDigest is how long a challenge may be (RFC 2831 §2.1.1); maxDigestResponse, a response (RFC 2831 §2.1.2).
const (
	maxDigest         = 2047
	maxDigestResponse = 4095
)

// parseDigestChallenge reads a challenge. It is not ok either where there is nothing in it that we can do.
func parseDigestChallenge(s string) (c digestChallenge, ok bool) {
	list, ok := parseDirectives(s)
	if !ok || len(s) > maxDigest {
		return c, false
	}
	algorithm, qop := "", "auth"
	seen := map[string]bool{}
	for _, d := range list {
		switch d.name {
		case "realm": // the only one of which there may be several
			c.realms = append(c.realms, d.value)
			continue
		case "nonce":
			c.nonce = d.value
		case "qop":
			qop = d.value
		case "algorithm":
			algorithm = d.value
		case "charset":
			if c.utf8 = strings.EqualFold(d.value, "utf-8"); !c.utf8 {
				return c, false
			}
		case "stale", "maxbuf", "cipher":
		default: // unknown ones are ignored, however many there are
			continue
		}
		if seen[d.name] {
			return c, false
		}
		seen[d.name] = true
	}
	return c, c.nonce != "" && strings.EqualFold(algorithm, "md5-sess") && listHas(qop, "auth")
}

// listHas says whether a list with commas has an element.
func listHas(list, element string) bool {
	for e := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(e, lws), element) {
			return true
		}
	}
	return false
}

// lws is linear white space (RFC 2831 §7.1).
const lws = " \t\r\n"

// A directive is one of the parts of a message.
type directive struct{ name, value string }

// parseDirectives reads a list of name=value, whose elements may be empty (RFC 2831 §7.1). Names become lower case.
func parseDirectives(s string) (list []directive, ok bool) {
	for {
		s = strings.TrimLeft(s, lws+",")
		if s == "" {
			return list, true
		}
		name, rest, ok := strings.Cut(s, "=")
		name = strings.TrimRight(name, lws)
		if !ok || !isHTTPToken(name) {
			return nil, false
		}
		value, rest, ok := parseDirectiveValue(strings.TrimLeft(rest, lws))
		if !ok {
			return nil, false
		}
		list = append(list, directive{strings.ToLower(name), value})
		s = strings.TrimLeft(rest, lws)
		if s != "" && s[0] != ',' {
			return nil, false
		}
	}
}

// parseDirectiveValue reads a token or a quoted-string, and returns what follows it.
func parseDirectiveValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, lws+",")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], isHTTPToken(s[:end])
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// isHTTPToken says whether s is a token of RFC 2831 §7.1, or near enough: visible octets without what divides.
func isHTTPToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) })
}

// quoteDirective writes a quoted-string.
func quoteDirective(s string) string {
	return `"` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`) + `"`
}

// toLatin1 is s in ISO 8859-1, if all of its characters are there.
func toLatin1(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s, false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}
