package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// testMessage makes a message up, for who only wants to see where one gets.
func testMessage(m client.Message, host string) []byte {
	var to []string
	for _, r := range m.Recipients {
		to = append(to, r.To.String())
	}
	from, now := m.From, time.Now()
	if from.IsNull() {
		from = smtp.Path{Local: "postmaster", Domain: host}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Date: %s\r\n", now.Format(time.RFC1123Z))
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\n", from, strings.Join(to, ",\r\n\t"))
	fmt.Fprintf(&b, "Subject: Test message of %s\r\n", now.Format("2006-01-02 15:04:05"))
	fmt.Fprintf(&b, "Message-ID: <%s@%s>\r\n", strings.ToLower(rand.Text()), host)
	b.WriteString("\r\nThis message was made up by lmtpd send. There is nothing to be done about it.\r\n")
	return b.Bytes()
}

// parseField reads a field as --header has it.
func parseField(text string) (headerField, error) {
	name, _, ok := strings.Cut(text, ":")
	if !ok || !isFieldName([]byte(name)) || strings.ContainsAny(text, "\r\x00") || brokenFold(text) {
		return headerField{}, fmt.Errorf("--header %q: %w", text, errField)
	}
	return headerField{strings.ToLower(strings.TrimRight(name, " \t")), strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"}, nil
}

var errField = errors.New("not a field such as 'Subject: hello'")

// brokenFold says whether a further line begins without a blank, and so would be another field (RFC 5322 §2.2.3).
func brokenFold(text string) bool {
	return slices.ContainsFunc(strings.Split(text, "\n")[1:], func(line string) bool { return strings.TrimLeft(line, " \t") == line })
}
