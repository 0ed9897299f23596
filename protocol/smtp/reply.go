package smtp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Reply is what a server answers to a command (RFC 5321 §4.2). The zero Reply is no reply.
type Reply struct {
	Code   int
	Status Status // "" for none: 3yz, greetings and the reply to a hello carry none (RFC 2034 §4)
	Text   string // lines divided by "\n"
}

// IsZero says whether r is no reply at all.
func (r Reply) IsZero() bool { return r.Code == 0 }

// Positive says whether the code is 2yz or 3yz.
func (r Reply) Positive() bool { return r.Code >= 200 && r.Code < 400 }

// Transient says whether the code is 4yz: try again later.
func (r Reply) Transient() bool { return r.Code >= 400 && r.Code < 500 }

// Permanent says whether the code is 5yz: do not try again.
func (r Reply) Permanent() bool { return r.Code >= 500 && r.Code < 600 }

// Enhanced returns the enhanced status code, "5.1.1" say, or "" if there is none. A 3yz reply has none, whatever its
// Status says: there is no class 3 (RFC 3463 §2).
func (r Reply) Enhanced() string {
	if !r.enhanced() {
		return ""
	}
	return strconv.Itoa(r.Code/100) + "." + string(r.Status)
}

// String returns the reply without its last line end; a reply of several lines has them divided by "\n".
func (r Reply) String() string {
	return strings.TrimSuffix(strings.ReplaceAll(string(r.Append(nil)), "\r\n", "\n"), "\n")
}

// Error makes a negative reply an error for clients that were given it.
func (r Reply) Error() string { return r.String() }

func (r Reply) enhanced() bool { return r.Status != "" && r.Code/100 != 3 }

// Append appends the reply in its form on the wire. The enhanced status stands at the start of every line
// (RFC 2034 §4). Octets that would break the line are replaced, so that no text can forge a second reply.
func (r Reply) Append(b []byte) []byte {
	rest := r.Text
	for {
		line, more, found := strings.Cut(rest, "\n")
		b = strconv.AppendInt(b, int64(r.Code), 10)
		if found {
			b = append(b, '-')
		} else {
			b = append(b, ' ')
		}
		if r.enhanced() {
			b = append(b, byte('0'+r.Code/100), '.')
			b = append(b, r.Status...)
			b = append(b, ' ')
		}
		b = appendText(b, line)
		b = append(b, '\r', '\n')
		if !found {
			return b
		}
		rest = more
	}
}

func appendText(b []byte, line string) []byte {
	for i := range len(line) {
		c := line[i]
		if c < ' ' && c != '\t' || c == 0x7f {
			c = '?'
		}
		b = append(b, c)
	}
	return b
}

// For puts the recipient's address before the text, as every reply about one recipient has it. A reply line has
// at most 512 octets (RFC 5321 §4.5.3.1.5) and an address may have more: then its end is left out.
func (r Reply) For(to Path) Reply {
	const most = 400
	addr := to.String()
	if len(addr) > most {
		addr = strings.ToValidUTF8(addr[:most], "") + "..."
	}
	r.Text = "<" + addr + "> " + r.Text
	return r
}

// ErrBadReply is returned for a reply line that is none.
var ErrBadReply = errors.New("malformed reply")

// ParseReplyLine takes one line of a reply apart (without its line end). more says that further lines follow.
// The enhanced status is recognised where its class agrees with the code.
func ParseReplyLine(line string) (r Reply, more bool, err error) {
	if len(line) < 3 || !digits(line[:3]) || line[0] < '2' || line[0] > '5' {
		return Reply{}, false, fmt.Errorf("%w: %.40q", ErrBadReply, line)
	}
	r.Code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if len(line) == 3 {
		return r, false, nil
	}
	if line[3] != ' ' && line[3] != '-' {
		return Reply{}, false, fmt.Errorf("%w: %.40q", ErrBadReply, line)
	}
	r.Text = line[4:]
	if word, rest, _ := strings.Cut(r.Text, " "); enhanced(word, line[0]) {
		r.Status, r.Text = Status(word[2:]), rest
	}
	return r, line[3] == '-', nil
}

// enhanced says whether word is class "." subject "." detail of RFC 3463 §2 with that class.
func enhanced(word string, class byte) bool {
	subject, detail, ok := strings.Cut(strings.TrimPrefix(word, string(class)+"."), ".")
	return ok && class != '3' && len(word) > 2 && word[0] == class && word[1] == '.' &&
		len(subject) <= 3 && len(detail) <= 3 && digits(subject) && digits(detail)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
