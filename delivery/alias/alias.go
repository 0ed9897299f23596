// Package alias reads aliases(5) files, as Postfix and sendmail have them, and says what becomes of an address:
//
//	name: target, target …
//
// What is kept of the format. Empty lines, and lines whose first character that is no blank is a #, say nothing, even
// inside an alias. A line that begins with a blank continues the one before. Names and targets may be in double
// quotes, with backslashes inside; comments of RFC 822 in parentheses are skipped, and of Ann <ann@example.org> the
// address counts. Targets are divided by commas or blanks. :include:/path stands for the targets in a file, which are
// written the same way, one or more in a line.
//
// A name is a local-part, good in every domain that the file is for, a whole address, or @domain, which is for what
// has neither a name nor a mailbox there. Case does not matter. A target is a local-part, in the domain of the
// address that it stands for, or a whole address; after a backslash (\ann) it is a mailbox, and its name is not
// looked for again, which is sendmail's meaning.
//
// Looking up and what becomes of a detail are as in Postfix's virtual(5); see Domains.
//
// What is not kept, and a mistake: commands (|command), files (/path), groups (name: a, b;), source routes. What is
// stricter than with Postfix: a name that is there twice, an alias without targets, a list that cannot be read or
// that everybody may write, a # where a target should be, control characters, octets that are not UTF-8, lines of
// more than 8 KiB, files of more than 64 MiB, more than 1,000 targets of an alias and more than 1,000,000 of all
// together are mistakes, and a file with mistakes is not taken: the aliases stay what they were, and mail waits for a
// name that neither is among them nor has a mailbox. Postfix warns and goes on without such a name, whose mail would
// then bounce.
//
// QUIRK: a name or target that is wholly in quotes and has an @ in them is a mistake. To the letter it is a
// local-part (RFC 5321 §4.1.2), which nobody means who writes it.
//
// What owner-name and expand_owner_alias do to the reverse-path is for the MTA.
package alias

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"lmtpd/auth/account/textfile"
	"lmtpd/protocol/smtp"
)

// Limits of a file.
const (
	maxOctets  = 64 << 20  // of it and of each of its lists
	maxTargets = 1000      // of an alias, and of what it is expanded to
	maxAll     = 1_000_000 // targets of all aliases together
)

// Config is what a File needs.
type Config struct {
	Path string
	Fold func(smtp.Path) smtp.Path // puts a mailbox, or a local-part or domain alone, in the form that addresses are looked up in
	Now  func() time.Time
	Log  *slog.Logger
}

// A File is an aliases file, read again when it or one of its lists changes. As long as what is there is no aliases
// file, the aliases stay what they were, and a name that is not among them is in doubt (package textfile). Its methods may
// be called from many goroutines at once.
type File struct {
	content func() (*table, error) // as textfile.File has it
}

// Open reads an aliases file and its lists. If something is wrong with what they say, the error is of type
// textfile.Mistakes.
func Open(cfg Config) (*File, error) {
	text, err := textfile.Open(textfile.Config[*table]{
		Path: cfg.Path,
		Name: "aliases",
		Parse: func(r *textfile.Reading, text string) (*table, error) {
			p := parser{fold: cfg.Fold, read: func(list string) (string, error) { return readList(r, list) }}
			return p.parse(cfg.Path, text)
		},
		Max: maxOctets,
		Now: cfg.Now,
		Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	// A look that hangs is waited for no longer than textfile waits.
	return &File{content: func() (*table, error) { return text.Content(context.Background()) }}, nil
}

// Len returns how many aliases there are.
func (f *File) Len() int {
	t, _ := f.content()
	return t.Len()
}

// Doubt says why a name that is no alias may be one by now: the file is being changed, cannot be taken as it is, or cannot be looked at. It is
// nil as long as the file is what was taken of it.
func (f *File) Doubt() error {
	if _, err := f.content(); err != nil {
		return unsure(err)
	}
	return nil
}

func unsure(doubt error) error { return fmt.Errorf("look up an alias: %w", doubt) }

// An Alias is a name and what stands for it.
type Alias struct {
	Name    string // as it is looked up: "ann", "ann@example.org" or "@example.org"
	File    string // where it is written
	Line    int
	name    smtp.Path
	targets []target
}

// A target is one of those that an alias has.
type target struct {
	path    smtp.Path // folded; without a domain, it is in that of the address
	written string    // the local-part, not folded: its detail may name a folder
	final   bool      // it is a mailbox, whatever aliases say of it
}
