package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
)

// A mailboxLine is one mailbox in a list.
type mailboxLine struct {
	Mailbox  string   `json:"mailbox"`
	Folders  []string `json:"folders"`
	Messages int64    `json:"messages"`
	Octets   int64    `json:"octets"`
}

// listMailboxes lists what it can, then reports what it could not.
func listMailboxes(c *cli.Context) error {
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	if cfg.Mailboxes, err = storesThere(cfg.Mailboxes); err != nil {
		return err
	}
	return withStores(c, cfg, func(stores []store.Store) error {
		lines := []mailboxLine{}
		var errs []error
		for i, s := range stores {
			if slices.Index(stores, s) < i { // blocks may share a store
				continue
			}
			some, err := describeAll(c.Context, s, cfg.Mailboxes[i].Store)
			lines, errs = append(lines, some...), append(errs, err)
		}
		slices.SortFunc(lines, func(a, b mailboxLine) int { return strings.Compare(a.Mailbox, b.Mailbox) })
		err := printList(c, lines, func(l mailboxLine) []any { return []any{l.Mailbox, l.Messages, l.Octets} })
		return errors.Join(append(errs, err)...)
	})
}

// storesThere leaves out the blocks that have no mailbox yet, unless none is left.
func storesThere(blocks []Mailboxes) (there []Mailboxes, err error) {
	var missing error
	for _, m := range blocks {
		switch err := storeThere(m); {
		case err == nil:
			there = append(there, m)
		case errors.Is(err, fs.ErrNotExist):
			missing = cmp.Or(missing, err)
		default:
			return nil, err
		}
	}
	if len(there) == 0 {
		return nil, missing
	}
	return there, nil
}

// describeAll describes the mailboxes of a store, as far as it can.
func describeAll(ctx context.Context, s store.Store, url StoreURL) (lines []mailboxLine, err error) {
	var errs []error
	for name, err := range s.Mailboxes(ctx) {
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			err = fmt.Errorf("the mailboxes in %s cannot be listed, because their paths do not tell their addresses", url)
			errs = append(errs, cli.Exit(err, exUnavailable))
			continue
		case err != nil:
			errs = append(errs, fmt.Errorf("list the mailboxes in %s: %w", url, err))
			continue
		}
		line, err := describe(ctx, s, name)
		lines, errs = append(lines, line), append(errs, err)
	}
	return lines, errors.Join(errs...)
}

func describe(ctx context.Context, s store.Store, name string) (mailboxLine, error) {
	usage, err := s.Usage(ctx, store.Mailbox{Name: name})
	if err != nil {
		return mailboxLine{Mailbox: name}, fmt.Errorf("count %s: %w", name, err)
	}
	folders, err := s.Folders(ctx, store.Mailbox{Name: name})
	if err != nil {
		return mailboxLine{Mailbox: name}, fmt.Errorf("list folders of %s: %w", name, err)
	}
	if folders == nil {
		folders = []string{}
	}
	return mailboxLine{name, folders, usage.Messages, usage.Octets}, nil
}

// A messageLine is one message in a list.
type messageLine struct {
	ID     string       `json:"id"`
	Folder string       `json:"folder"`
	Date   time.Time    `json:"date"`
	Octets int64        `json:"octets"`
	Flags  []store.Flag `json:"flags"`
}

func listMessages(c *cli.Context, m mailbox) error {
	list, err := m.messages(c.Context)
	if err != nil {
		return err
	}
	lines := []messageLine{}
	for _, one := range list {
		line := messageLine{one.ID, folderName(one.Folder), one.Date.UTC(), one.Size, one.Flags}
		if line.Flags == nil {
			line.Flags = []store.Flag{}
		}
		lines = append(lines, line)
	}
	return printList(c, lines, func(l messageLine) []any {
		return []any{l.ID, l.Date.Format(time.RFC3339), l.Octets, flagWords(l.Flags)}
	})
}

// flagWords writes flags in a row, and a dash for none, so that every line has its columns.
func flagWords(flags []store.Flag) string {
	if len(flags) == 0 {
		return "-"
	}
	words := make([]string, len(flags))
	for i, f := range flags {
		words[i] = string(f)
	}
	return strings.Join(words, " ")
}

// printList writes a list as JSON, or as lines of aligned columns.
func printList[T any](c *cli.Context, lines []T, columns func(T) []any) error {
	if c.Bool("json") {
		enc := json.NewEncoder(c.App.Writer)
		enc.SetIndent("", "  ")
		return enc.Encode(lines)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
	for _, line := range lines {
		printColumns(w, columns(line))
	}
	return w.Flush()
}

// printColumns prints a line. The owner of a mailbox may have named files as they liked.
func printColumns(w io.Writer, columns []any) {
	for i, column := range columns {
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, printable(fmt.Sprint(column)))
	}
	fmt.Fprintln(w)
}
