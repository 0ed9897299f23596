package auth

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// A scramFirst is the client's first message (RFC 5802 §7).
type scramFirst struct {
	header string // gs2-header, with its last comma
	flag   byte   // n, y or p
	kind   string // of channel binding, with p
	as     string // authorization identity
	bare   string // the message without the header
	name   string
	nonce  string
}

func parseSCRAMFirst(s string) (f scramFirst, ok bool) {
	flag, rest, ok := strings.Cut(s, ",")
	as, bare, ok2 := strings.Cut(rest, ",")
	if !ok || !ok2 || flag == "" {
		return f, false
	}
	f.header, f.bare, f.flag = s[:len(s)-len(bare)], bare, flag[0]
	switch {
	case flag == "n", flag == "y":
	case strings.HasPrefix(flag, "p=") && isBindingKind(flag[2:]):
		f.kind = flag[2:]
	default:
		return f, false
	}
	if as != "" {
		name, found := strings.CutPrefix(as, "a=")
		if f.as, ok = unescapeName(name); !found || !ok {
			return f, false
		}
	}
	name, rest, ok := strings.Cut(bare, ",")
	nonce, _, _ := strings.Cut(rest, ",") // extensions follow, of which none is known and none is mandatory
	name, named := strings.CutPrefix(name, "n=")
	f.nonce, ok2 = strings.CutPrefix(nonce, "r=")
	if !ok || !named || !ok2 || !isNonce(f.nonce) { // "m=", a mandatory extension, is in the place of the name
		return f, false
	}
	f.name, ok = unescapeName(name)
	return f, ok
}

// A scramFinal is the client's final message.
type scramFinal struct {
	binding, nonce string
	proof          []byte
	withoutProof   string
}

func parseSCRAMFinal(s string) (f scramFinal, ok bool) {
	i := strings.LastIndex(s, ",p=")
	if i < 0 {
		return f, false
	}
	f.withoutProof = s[:i]
	binding, rest, ok := strings.Cut(f.withoutProof, ",")
	nonce, _, _ := strings.Cut(rest, ",")
	f.binding, _ = strings.CutPrefix(binding, "c=")
	f.nonce, _ = strings.CutPrefix(nonce, "r=")
	if !ok || !strings.HasPrefix(binding, "c=") || !strings.HasPrefix(nonce, "r=") {
		return f, false
	}
	var err error
	f.proof, err = base64.StdEncoding.Strict().DecodeString(s[i+len(",p="):])
	return f, err == nil
}

// A scramServerFirst is the server's first message.
type scramServerFirst struct {
	nonce  string
	salt   []byte
	rounds int
}

func parseSCRAMServerFirst(s string) (f scramServerFirst, ok bool) {
	parts := strings.Split(s, ",") // extensions follow, of which none is known; "m=", a mandatory one, is in the place of the nonce
	if len(parts) < 3 {
		return f, false
	}
	nonce, is := strings.CutPrefix(parts[0], "r=")
	salt, is2 := strings.CutPrefix(parts[1], "s=")
	rounds, is3 := strings.CutPrefix(parts[2], "i=")
	if !is || !is2 || !is3 || !isNonce(nonce) {
		return f, false
	}
	n, err := strconv.ParseUint(rounds, 10, 31)
	if err != nil {
		return f, false
	}
	f.nonce, f.rounds = nonce, int(n)
	f.salt, err = base64.StdEncoding.Strict().DecodeString(salt)
	return f, err == nil && len(f.salt) > 0
}

// parseSCRAMServerFinal reads the server's final message: its signature, or its error.
func parseSCRAMServerFinal(s string) (signature []byte, failed string, ok bool) {
	said, _, _ := strings.Cut(s, ",")
	if failed, is := strings.CutPrefix(said, "e="); is {
		return nil, failed, failed != ""
	}
	text, is := strings.CutPrefix(said, "v=")
	signature, err := base64.StdEncoding.Strict().DecodeString(text)
	return signature, "", is && err == nil && len(signature) > 0
}

// isBindingKind says whether s is of the form of a type of channel binding.
func isBindingKind(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
	return s != "" && len(s) <= 64 && strings.Trim(s, letters) == ""
}

// isNonce says whether s is printable ASCII without a comma, and not longer than any client has reason to make it.
func isNonce(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ',' {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// escapeName writes a saslname.
func escapeName(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "=", "=3D"), ",", "=2C")
}

// unescapeName reads a saslname, in which "=2C" is a comma and "=3D" an equals sign.
func unescapeName(s string) (string, bool) {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(s, "=")
		b.WriteString(plain)
		switch {
		case !found:
			return b.String(), IsName(b.String())
		case strings.HasPrefix(rest, "2C"):
			b.WriteByte(',')
		case strings.HasPrefix(rest, "3D"):
			b.WriteByte('=')
		default:
			return "", false
		}
		s = rest[2:]
	}
}
