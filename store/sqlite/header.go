package sqlite

import (
	"bytes"
	"database/sql"
	"mime"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is looked at of a header, and what is kept of a field. Mail that has more of either is kept as it is all the same.
const (
	headOctets  = 64 << 10
	headFields  = 1000
	fieldOctets = 4 << 10 // as it stands there
	textOctets  = 1000    // as it is kept
)

type text = sql.Null[string]

// The facts of a content are what its header says, as far as it can be read.
type facts struct {
	subject, author, messageID text
	sent                       sql.Null[int64]
}

func readFacts(content []byte) (f facts) {
	fields := readFields(content, "subject", "from", "date", "message-id")
	f.subject, f.author = decode(fields["subject"]), decode(fields["from"])
	if id := fields["message-id"]; id.Valid {
		f.messageID = clean(id.V)
	}
	if sent, err := mail.ParseDate(fields["date"].V); err == nil {
		f.sent = sql.Null[int64]{V: sent.Unix(), Valid: true}
	}
	return f
}

// An envelope is what the trace fields of a copy tell of the transaction that it came in.
type envelope struct {
	reversePath, original text
}

func readEnvelope(trace []byte) (e envelope) {
	fields := readFields(trace, "return-path", "x-original-to", "delivered-to")
	if path := fields["return-path"]; path.Valid {
		e.reversePath = clean(strings.TrimSuffix(strings.TrimPrefix(path.V, "<"), ">"))
	}
	original, ok := fields["x-original-to"]
	if !ok {
		original = fields["delivered-to"]
	}
	if original.Valid {
		e.original = clean(original.V)
	}
	return e
}

// readFields finds the topmost field of each name, unfolded (RFC 5322 §2.2.3). What is no field is passed over, and lines may
// end in LF alone.
func readFields(head []byte, names ...string) map[string]text {
	head = head[:min(len(head), headOctets)]
	found := make(map[string]text, len(names))
	current := "" // the field that a line beginning with a blank goes on with
	for n := 0; n < headFields && len(head) > 0 && len(found) <= len(names); n++ {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		head = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if old := found[current].V; current != "" && len(old) < fieldOctets {
				found[current] = text{V: old + string(line[:min(len(line), fieldOctets-len(old))]), Valid: true}
			}
			continue
		}
		current = ""
		name, value, isField := bytes.Cut(line, []byte(":"))
		if !isField {
			continue
		}
		name = bytes.TrimRight(name, " \t")
		for _, wanted := range names {
			if _, twice := found[wanted]; !twice && len(name) == len(wanted) && strings.EqualFold(string(name), wanted) {
				current = wanted
				found[wanted] = text{V: string(value[:min(len(value), fieldOctets)]), Valid: true}
			}
		}
	}
	for name, value := range found {
		value.V = strings.TrimSpace(value.V)
		found[name] = value
	}
	return found
}

// decode reads encoded words (RFC 2047 §2); those of a character set that is not known stay as they are.
func decode(raw text) text {
	if !raw.Valid {
		return raw
	}
	var words mime.WordDecoder
	if decoded, err := words.DecodeHeader(raw.V); err == nil {
		raw.V = decoded
	}
	return clean(raw.V)
}

// clean makes what a column may hold of a value: UTF-8, no control characters, and not too long.
func clean(value string) text {
	value = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(value, "\uFFFD"))
	if len(value) > textOctets {
		value = value[:textOctets]
		for !utf8.ValidString(value) {
			value = value[:len(value)-1]
		}
	}
	return text{V: value, Valid: true}
}
