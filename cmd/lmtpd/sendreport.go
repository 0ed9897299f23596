package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// A sendRecord is what --json tells of one recipient. Code, Status and Text are there if Outcome is "known".
type sendRecord struct {
	Recipient string `json:"recipient"`
	Outcome   string `json:"outcome"` // known, unknown, not sent
	Delivered bool   `json:"delivered"`
	Code      int    `json:"code,omitempty"`
	Status    string `json:"status,omitempty"`
	Text      string `json:"text,omitempty"`
}

// reportResults prints one line per recipient, in the order they were given.
func reportResults(c *cli.Context, to []smtp.Recipient, results []client.Result) error {
	objects := json.NewEncoder(c.App.Writer)
	objects.SetEscapeHTML(false)
	for i, r := range results {
		var err error
		if c.Bool("json") {
			err = objects.Encode(record(to[i], r))
		} else {
			_, err = fmt.Fprintf(c.App.Writer, "%s: %s\n", to[i].To, resultText(r))
		}
		if err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
	}
	return nil
}

func record(to smtp.Recipient, r client.Result) sendRecord {
	return sendRecord{
		Recipient: to.To.String(),
		Outcome:   r.Outcome.String(),
		Delivered: r.Delivered(),
		Code:      r.Reply.Code,
		Status:    r.Reply.Enhanced(),
		Text:      r.Reply.Text,
	}
}

// resultText is the reply in one line, or the word for having none.
func resultText(r client.Result) string {
	if r.Outcome != client.Known {
		return r.Outcome.String()
	}
	r.Reply.Text = strings.ReplaceAll(r.Reply.Text, "\n", " ")
	return printable(r.Reply.String())
}

// printable replaces what could steer a terminal in what a server says. Line ends become blanks.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n':
			return ' '
		case unicode.IsPrint(c):
			return c
		}
		return '?'
	}, s)
}
