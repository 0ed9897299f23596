// Package senders reads tables of who may send under addresses that are not his own:
//
//	# address or pattern    accounts
//	info@example.org        ann bob
//	@lists.example.org      ann          any local-part there
//	*-noreply@example.org   robot        an asterisk stands for any number of characters
//	*                       admin        any address at all
//	office@example.org      *            anybody who has authenticated
//
// Each line stands for itself: a line takes nothing away from who another line allows. Accounts may be divided by commas too, so
// that one written for Postfix's smtpd_sender_login_maps does. Letters A to Z are the same in either case, as they are in the names
// of accounts.
package senders

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"lmtpd/auth/account/textfile"
	"lmtpd/protocol/smtp"
)

// maxOctets is how large a table may be.
const maxOctets = 64 << 20

// Config is what a Table needs.
type Config struct {
	Path string
	Name func(account string) string // makes of an account's name the one that it is asked about by; nil: it is that already
	Now  func() time.Time
	Log  *slog.Logger
}

// A Table is a file of senders, read again when it changes (package textfile). Its methods may be called from many goroutines.
type Table struct {
	path string
	text *textfile.File[*content]
}

// content is what a file says. It is not changed.
type content struct {
	exact    map[string][]string // accounts by address, both folded
	patterns []pattern
	name     func(account string) string
}

type pattern struct {
	glob     string
	accounts []string
}

// Len returns how many addresses and patterns there are.
func (c *content) Len() int { return len(c.exact) + len(c.patterns) }

// Open reads a table. If something is wrong with it, the error is of type textfile.Mistakes.
func Open(cfg Config) (*Table, error) {
	text, err := textfile.Open(textfile.Config[*content]{
		Path:  cfg.Path,
		Name:  "senders",
		Parse: func(_ *textfile.Reading, text string) (*content, error) { return cfg.parse(text) },
		Max:   maxOctets,
		Now:   cfg.Now,
		Log:   cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	return &Table{cfg.Path, text}, nil
}

// Len returns how many addresses and patterns there are.
func (t *Table) Len() int {
	c, _ := t.text.Content(context.Background())
	return c.Len()
}

// Owns says whether an account may send under an address. What is not in the table while that is being changed is in doubt, which
// is an error.
func (t *Table) Owns(ctx context.Context, account string, address smtp.Path) (bool, error) {
	c, doubt := t.text.Content(ctx)
	switch {
	case c.owns(fold(account), fold(address.String())):
		return true, nil
	case doubt != nil:
		return false, fmt.Errorf("look up a sender in %s: %w", t.path, doubt)
	}
	return false, nil
}

func (c *content) owns(account, address string) bool {
	if allows(c.exact[address], account) {
		return true
	}
	for _, p := range c.patterns {
		if matches(p.glob, address) && allows(p.accounts, account) {
			return true
		}
	}
	return false
}

func allows(accounts []string, account string) bool {
	for _, a := range accounts {
		if a == account || a == "*" {
			return true
		}
	}
	return false
}

// matches says whether a pattern stands for an address. There are no characters in it but itself and asterisks.
func matches(glob, address string) bool {
	first, rest, found := strings.Cut(glob, "*")
	address, ok := strings.CutPrefix(address, first)
	if !found {
		return ok && address == ""
	}
	for ok && strings.Contains(rest, "*") {
		var part string
		part, rest, _ = strings.Cut(rest, "*")
		i := strings.Index(address, part)
		if ok = i >= 0; ok {
			address = address[i+len(part):]
		}
	}
	return ok && strings.HasSuffix(address, rest)
}

// parse reads the text of a table.
func (cfg *Config) parse(text string) (*content, error) {
	c, number := &content{exact: map[string][]string{}, name: cfg.Name}, 0
	var bad textfile.Mistakes
	for line := range strings.Lines(text) {
		number++
		line, _ = textfile.CutEnd(line)
		if what := c.line(line); what != "" {
			bad = append(bad, textfile.Mistake{File: cfg.Path, Line: number, What: what})
		}
	}
	if bad != nil {
		return nil, bad
	}
	return c, nil
}

// line takes one line, and says what is wrong with it.
func (c *content) line(line string) (wrong string) {
	if err := textfile.CheckLine(line, "\t"); err != nil {
		return err.Error()
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	if len(words) == 0 || words[0][0] == '#' {
		return ""
	}
	address, accounts := fold(words[0]), words[1:]
	if len(accounts) == 0 {
		return "there is no account behind the address"
	}
	for i := range accounts {
		if c.name != nil && accounts[i] != "*" {
			accounts[i] = c.name(accounts[i])
		}
		accounts[i] = fold(accounts[i])
	}
	switch {
	case strings.HasPrefix(address, "@"):
		c.patterns = append(c.patterns, pattern{"*" + address, accounts})
	case strings.Contains(address, "*"):
		c.patterns = append(c.patterns, pattern{address, accounts})
	default:
		if _, err := smtp.ParseMailbox(address, smtp.UTF8); err != nil {
			return fmt.Sprintf("%q is neither an address nor a pattern such as @example.org", words[0])
		}
		c.exact[address] = append(c.exact[address], accounts...)
	}
	return ""
}

// fold makes one of the ways to write an address. Beyond ASCII case is not ours to judge (RFC 5321 §2.4).
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
