package mailtext

import (
	"bytes"
	"slices"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // what it knows of character sets
	"github.com/emersion/go-message/mail"
)

// wanted says whether a field is looked at; name is in lower case.
func wanted(name string) bool {
	switch name {
	case "subject", "from", "sender", "reply-to", "to", "cc", "bcc",
		"content-type", "content-transfer-encoding", "content-disposition":
		return true
	}
	return false
}

// A field is one of a header, unfolded.
type field struct{ name, value string }

// header reads a header.
func (e *extraction) header() (h message.Header) {
	fields := e.fields()
	for _, f := range slices.Backward(fields) { // Add puts it before those that are there
		h.Add(f.name, strings.TrimSpace(f.value))
	}
	return h
}

// fields reads the fields up to an empty line, and keeps those that are wanted. Lines that are none go to the text.
func (e *extraction) fields() (kept []field) {
	var name string
	var value []byte
	keep := func() {
		if name != "" {
			kept = append(kept, field{name, string(value)})
		}
		name, value = "", value[:0]
	}
	defer keep()
	octets, fields := 0, 0
	for line := e.next(); line != nil; line = e.next() {
		octets += len(line)
		line = bytes.TrimRight(line, "\r\n")
		if e.first && len(line) == 0 {
			return kept
		}
		if octets > maxHeader || fields > maxFields {
			continue
		}
		if !e.first || line[0] == ' ' || line[0] == '\t' {
			if name != "" {
				value = append(value, line[:min(len(line), maxField-len(value))]...)
			}
			continue
		}
		keep()
		fields++
		found, rest, isField := bytes.Cut(line, []byte(":"))
		switch found := string(bytes.TrimRight(found, " \t")); {
		case !isField || !isFieldName(found):
			e.body.add(toUTF8(line))
			e.body.add("\n")
		case wanted(strings.ToLower(found)):
			name, value = found, append(value, rest[:min(len(rest), maxField)]...)
		}
	}
	return kept
}

// isFieldName says whether a name can be one (RFC 5322 §2.2).
func isFieldName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// addText adds fields that are text, encoded words decoded.
func addText(to *squeezer, h message.Header, name string) {
	for f := h.FieldsByKey(name); f.Next(); {
		text, _ := f.Text() // what cannot be decoded stays as it is
		to.add(toUTF8([]byte(text)))
		to.add("\n")
	}
}

// addAddresses adds the names and addresses of fields.
func addAddresses(to *squeezer, h message.Header, names ...string) {
	for _, name := range names {
		for f := h.FieldsByKey(name); f.Next(); {
			list, err := mail.ParseAddressList(f.Value())
			if err != nil || len(list) == 0 { // groups may be empty (RFC 5322 §3.4)
				text, _ := f.Text()
				to.add(toUTF8([]byte(text)))
			}
			for _, a := range list {
				to.add(toUTF8([]byte(a.Name + " <" + a.Address + "> ")))
			}
			to.add("\n")
		}
	}
}
