package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// A sendRecord is what --json tells of one recipient. Code, Status and Text are there if Outcome is "known".
type sendRecord struct {
	File      string `json:"file,omitempty"` // where there are several
	Recipient string `json:"recipient"`
	Outcome   string `json:"outcome"` // known, unknown, not sent
	Delivered bool   `json:"delivered"`
	Code      int    `json:"code,omitempty"`
	Status    string `json:"status,omitempty"`
	Text      string `json:"text,omitempty"`
}

// report prints one line per recipient, in the order they were given, and with the name of the file where there are several.
func (s *sending) report(name string, results []client.Result) error {
	if !s.several {
		name = ""
	}
	objects := jsonTo(s.c.App.Writer)
	for i, r := range results {
		var err error
		to := s.message.Recipients[i].To
		if s.c.Bool("json") {
			err = objects.Encode(record(name, to, r))
		} else {
			line := fmt.Sprintf("%s: %s\n", to, resultText(r))
			if name != "" {
				line = printable(name) + ": " + line
			}
			_, err = io.WriteString(s.c.App.Writer, line)
		}
		if err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
	}
	return nil
}

// jsonTo writes objects, one a line.
func jsonTo(w io.Writer) *json.Encoder {
	objects := json.NewEncoder(w)
	objects.SetEscapeHTML(false)
	return objects
}

func record(file string, to smtp.Path, r client.Result) sendRecord {
	return sendRecord{
		File:      file,
		Recipient: to.String(),
		Outcome:   r.Outcome.String(),
		Delivered: r.Delivered(),
		Code:      r.Reply.Code,
		Status:    r.Reply.Enhanced(),
		Text:      r.Reply.Text,
	}
}

// An offeredMechanism is what --json tells of one mechanism of authentication.
type offeredMechanism struct {
	Mechanism string `json:"mechanism"`
}

// printAuthTypes prints the mechanisms that a server offers, once the connection is as secure as it is to be.
func printAuthTypes(c *cli.Context, server connection) error {
	if c.Args().Present() {
		return usage(c, "--auth-types sends no FILE")
	}
	server.authenticate = false
	conn, err := server.dial(c.Context)
	if err != nil {
		return sendExit(nil, err)
	}
	defer conn.Close()
	objects := jsonTo(c.App.Writer)
	mechanisms := conn.AuthTypes()
	for _, m := range mechanisms {
		if c.Bool("json") {
			err = objects.Encode(offeredMechanism{m})
		} else {
			_, err = fmt.Fprintln(c.App.Writer, printable(m))
		}
		if err != nil {
			return fmt.Errorf("write the mechanisms: %w", err)
		}
	}
	_ = conn.Quit(c.Context) // how the session ends changes nothing
	if len(mechanisms) == 0 {
		return cli.Exit("the server offers no authentication", exUnavailable)
	}
	return nil
}

// resultText is the reply in one line, or the word for having none.
func resultText(r client.Result) string {
	if r.Outcome != client.Known {
		return r.Outcome.String()
	}
	return replyText(r.Reply)
}

// replyText is a reply in one line.
func replyText(r smtp.Reply) string {
	r.Text = strings.ReplaceAll(r.Text, "\n", " ")
	return printable(r.String())
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

// traceTo shows a dialogue.
func traceTo(w io.Writer) func(client.Direction, string) {
	return func(d client.Direction, line string) { fmt.Fprintf(w, "%s: %s\n", d, printable(line)) }
}
