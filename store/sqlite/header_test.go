package sqlite

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestReadFacts(t *testing.T) {
	for name, tt := range map[string]struct {
		head                       string
		subject, author, messageID string // "-": none
		sent                       int64  // 0: none
	}{
		"plain":      {"From: Ann <ann@example.org>\r\nSubject: hi\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\n", "hi", "Ann <ann@example.org>", "<1@x>", 1795168800},
		"case, LF":   {"FROM:a\nsUBJECT :  b  \nmessage-id: c\n\n", "b", "a", "c", 0},
		"folded":     {"Subject: a\r\n b\r\n\tc\r\n\r\n", "a b\tc", "-", "-", 0},
		"encoded":    {"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1?q?_=E9?=\r\n\r\n", "Grüße é", "-", "-", 0},
		"unknown":    {"Subject: =?x-martian?q?a?=\r\n\r\n", "=?x-martian?q?a?=", "-", "-", 0},
		"8 bit":      {"Subject: caf\xe9\x00\r\n\r\n", "caf\uFFFD ", "-", "-", 0},
		"twice":      {"Subject: a\r\nSubject: b\r\n\r\n", "a", "-", "-", 0},
		"in text":    {"X: y\r\n\r\nSubject: a\r\n", "-", "-", "-", 0},
		"no fields":  {"From ann Fri\r\nno field at all\r\n more\r\n: x\r\nSubject: a", "a", "-", "-", 0},
		"empty":      {"Subject:\r\nDate: yesterday\r\n\r\n", "", "-", "-", 0},
		"nothing":    {"", "-", "-", "-", 0},
		"continued":  {" Subject: a\r\nX: y\r\n Subject: b\r\n\r\n", "-", "-", "-", 0},
		"prefix":     {"Subjects: a\r\nSub: b\r\n\r\n", "-", "-", "-", 0},
		"far away":   {strings.Repeat("X: y\r\n", headFields) + "Subject: a\r\n\r\n", "-", "-", "-", 0},
		"far octets": {"X: " + strings.Repeat("y", headOctets) + "\r\nSubject: a\r\n\r\n", "-", "-", "-", 0},
	} {
		f := readFacts([]byte(tt.head))
		for what, pair := range map[string][2]string{
			"subject": {or(f.subject), tt.subject}, "author": {or(f.author), tt.author}, "message-id": {or(f.messageID), tt.messageID},
		} {
			if pair[0] != strings.ReplaceAll(pair[1], "\t", " ") {
				t.Errorf("%s: %s %q, want %q", name, what, pair[0], pair[1])
			}
		}
		if f.sent.V != tt.sent {
			t.Errorf("%s: sent %d, want %d", name, f.sent.V, tt.sent)
		}
	}
}

func or(t text) string {
	if !t.Valid {
		return "-"
	}
	return t.V
}

func TestReadEnvelope(t *testing.T) {
	for trace, want := range map[string][2]string{
		"Return-Path: <a@x>\r\nX-Original-To: info@y\r\nDelivered-To: ann@y\r\nReceived: from z\r\n": {"a@x", "info@y"},
		"Return-Path: <>\r\nDelivered-To: ann@y\r\n":                                                 {"", "ann@y"},
		"": {"-", "-"},
	} {
		if e := readEnvelope([]byte(trace)); or(e.reversePath) != want[0] || or(e.original) != want[1] {
			t.Errorf("%q: %q, %q", trace, or(e.reversePath), or(e.original))
		}
	}
}

// What a column gets is text of a bounded length, whatever the header.
func FuzzReadFacts(f *testing.F) {
	f.Add([]byte("Subject: =?utf-8?b?w7w=?=\r\n x\r\nFrom: a\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\n"))
	f.Add([]byte("subject:" + strings.Repeat("ü", 1000) + "\n\xff\x00"))
	f.Fuzz(func(t *testing.T, head []byte) {
		facts, envelope := readFacts(head), readEnvelope(head)
		for _, text := range []text{facts.subject, facts.author, facts.messageID, envelope.reversePath, envelope.original} {
			if !utf8.ValidString(text.V) || len(text.V) > textOctets || strings.ContainsFunc(text.V, unicode.IsControl) || !text.Valid && text.V != "" {
				t.Errorf("%q of %q", text.V, head)
			}
		}
	})
}
