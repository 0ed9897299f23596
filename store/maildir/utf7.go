package maildir

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// errUTF7 says that a name is not in modified UTF-7.
var errUTF7 = errors.New("not modified UTF-7")

// base64 of RFC 3501 §5.1.3: a comma for the slash, no padding, and no stray bits at the end.
func utf7Base64() *base64.Encoding {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"
	return base64.NewEncoding(alphabet).WithPadding(base64.NoPadding).Strict()
}

// printable says whether c stands for itself: 0x20 to 0x7e but for the ampersand (RFC 3501 §5.1.3).
func printable(c rune) bool { return c >= 0x20 && c <= 0x7e && c != '&' }

// encodeUTF7 gives a valid UTF-8 string in modified UTF-7.
func encodeUTF7(s string) string {
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case printable(r):
			b.WriteByte(byte(r))
		case r == '&':
			b.WriteString("&-")
		default:
			if size = strings.IndexFunc(s, func(r rune) bool { return r >= 0x20 && r <= 0x7e }); size < 0 {
				size = len(s)
			}
			b.WriteByte('&')
			b.WriteString(utf7Base64().EncodeToString(utf16Octets(s[:size])))
			b.WriteByte('-')
		}
		s = s[size:]
	}
	return b.String()
}

func utf16Octets(s string) []byte {
	b := make([]byte, 0, 2*len(s))
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}

// decodeUTF7 is strict: what it takes, encodeUTF7 gives back unchanged, so that no two names are one folder.
func decodeUTF7(s string) (string, error) {
	var b strings.Builder
	for rest := s; rest != ""; {
		plain, coded, found := strings.Cut(rest, "&")
		b.WriteString(plain)
		if !found {
			break
		}
		coded, after, closed := strings.Cut(coded, "-")
		if !closed {
			return "", errUTF7
		}
		rest = after
		if coded == "" {
			b.WriteByte('&')
			continue
		}
		octets, err := utf7Base64().DecodeString(coded)
		if err != nil || len(octets)%2 != 0 {
			return "", errUTF7
		}
		units := make([]uint16, len(octets)/2)
		for i := range units {
			units[i] = uint16(octets[2*i])<<8 | uint16(octets[2*i+1])
		}
		b.WriteString(string(utf16.Decode(units)))
	}
	if out := b.String(); encodeUTF7(out) == s {
		return out, nil
	}
	return "", errUTF7
}
