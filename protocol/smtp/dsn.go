package smtp

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Notify is the set of occasions on which the sender wants to hear of a recipient (RFC 3461 §4.1). The zero
// Notify means that nothing was said, which is not the same as NotifyNever.
type Notify uint8

// The words of NOTIFY=.
const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

var notifyWords = [...]struct {
	word string
	bit  Notify
}{{"NEVER", NotifyNever}, {"SUCCESS", NotifySuccess}, {"FAILURE", NotifyFailure}, {"DELAY", NotifyDelay}}

// ParseNotify reads the value of NOTIFY=. NEVER stands alone.
func ParseNotify(v string) (Notify, error) {
	var n Notify
	for word := range strings.SplitSeq(v, ",") {
		bit := notifyBit(word)
		if bit == 0 {
			return 0, ErrBadParameter
		}
		n |= bit
	}
	if n&NotifyNever != 0 && n != NotifyNever {
		return 0, ErrBadParameter
	}
	return n, nil
}

func notifyBit(word string) Notify {
	for _, w := range notifyWords {
		if EqualFold(w.word, word) {
			return w.bit
		}
	}
	return 0
}

// String returns the value of NOTIFY=, "" if nothing was said.
func (n Notify) String() string {
	var words []string
	for _, w := range notifyWords {
		if n&w.bit != 0 {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ",")
}

// Ret says how much of the message a notification should bring back (RFC 3461 §4.3).
type Ret string

// The words of RET=.
const (
	RetFull    Ret = "FULL"
	RetHeaders Ret = "HDRS"
)

// ParseRet reads the value of RET=.
func ParseRet(v string) (Ret, error) {
	switch r := Ret(Upper(v)); r {
	case RetFull, RetHeaders:
		return r, nil
	}
	return "", ErrBadParameter
}

// ParseEnvID reads the value of ENVID=: xtext of at most 100 octets (RFC 3461 §4.4).
func ParseEnvID(v string) (string, error) {
	if len(v) > 100 {
		return "", ErrBadParameter
	}
	s, err := ParseXtext(v)
	if err != nil || !printable([]byte(s)) {
		return "", ErrBadParameter
	}
	return s, nil
}

// An OriginalRecipient is the recipient as the sender wrote it, decoded (RFC 3461 §4.2). The zero value is none.
type OriginalRecipient struct {
	Type    string // "rfc822" or "utf-8" as a rule, lower case
	Address string
}

// IsZero says whether there is none.
func (o OriginalRecipient) IsZero() bool { return o.Type == "" }

// ParseOriginalRecipient reads the value of ORCPT=: at most 500 octets, addr-type ";" xtext, or with type utf-8
// the encodings of RFC 6533 §3.
func ParseOriginalRecipient(v string) (OriginalRecipient, error) {
	typ, addr, ok := strings.Cut(v, ";")
	if !ok || typ == "" || addr == "" || len(v) > 500 {
		return OriginalRecipient{}, ErrBadParameter
	}
	for i := range len(typ) {
		if !isAtext(typ[i]) {
			return OriginalRecipient{}, ErrBadParameter
		}
	}
	o := OriginalRecipient{Type: strings.ToLower(typ)}
	var err error
	if o.Type == "utf-8" {
		o.Address, err = parseUnitext(addr)
	} else {
		o.Address, err = ParseXtext(addr)
	}
	if err != nil || !printable([]byte(o.Address)) {
		return OriginalRecipient{}, ErrBadParameter
	}
	return o, nil
}

// parseUnitext decodes utf-8-addr-xtext and utf-8-addr-unitext: \x{HEX} for a character, and raw UTF-8
// (RFC 6533 §3).
func parseUnitext(s string) (string, error) {
	var b strings.Builder
	for s != "" {
		if s[0] == '\\' {
			code, rest, ok := strings.Cut(s, "}")
			if !ok || !strings.HasPrefix(code, `\x{`) || len(code) > 9 {
				return "", ErrBadParameter
			}
			n, err := strconv.ParseUint(code[3:], 16, 32)
			if err != nil || !utf8.ValidRune(rune(n)) || n == 0 {
				return "", ErrBadParameter
			}
			b.WriteRune(rune(n))
			s = rest
			continue
		}
		if s[0] <= ' ' || s[0] == 0x7f || s[0] == '+' || s[0] == '=' {
			return "", ErrBadParameter
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	if !utf8.ValidString(b.String()) {
		return "", ErrBadParameter
	}
	return b.String(), nil
}
