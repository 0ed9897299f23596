package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
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
		err := cfg.withAccounts(c, func(accounts []account.Source) error {
			l := lister{cfg.Mailboxes, stores, accounts}
			for i, s := range stores {
				if slices.Index(stores, s) < i { // blocks may share a store
					continue
				}
				some, err := l.describeAll(c.Context, i)
				lines, errs = append(lines, some...), append(errs, err)
			}
			return nil
		})
		errs = append(errs, err)
		slices.SortFunc(lines, func(a, b mailboxLine) int { return strings.Compare(a.Mailbox, b.Mailbox) })
		err = printList(c, lines, func(l mailboxLine) []any { return []any{l.Mailbox, l.Messages, l.Octets} })
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

// A lister knows the blocks, each with its store and accounts.
type lister struct {
	blocks   []Mailboxes
	stores   []store.Store
	accounts []account.Source
}

// describeAll describes the mailboxes in the store of a block, as far as it can.
func (l lister) describeAll(ctx context.Context, block int) (lines []mailboxLine, err error) {
	var errs []error
	for name, err := range l.names(ctx, block) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		line, err := l.describe(ctx, block, name)
		if !errors.Is(err, store.ErrNoMailbox) {
			lines, errs = append(lines, line), append(errs, err)
		}
	}
	return lines, errors.Join(errs...)
}

// names yields the mailboxes that a store knows, or else those of the accounts that have theirs in it.
func (l lister) names(ctx context.Context, block int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range l.stores[block].Mailboxes(ctx) {
			if errors.Is(err, errors.ErrUnsupported) {
				l.accountNames(block, yield)
				return
			}
			if err != nil {
				err = fmt.Errorf("list the mailboxes in %s: %w", l.blocks[block].Store, err)
			}
			if !yield(name, err) {
				return
			}
		}
	}
}

// accountNames yields the addresses that have an account and their mailbox in the block's store.
func (l lister) accountNames(block int, yield func(string, error) bool) {
	for i, m := range l.blocks {
		if l.stores[i] != l.stores[block] {
			continue
		}
		names, err := m.accountNames()
		if err != nil && !yield("", cli.Exit(fmt.Errorf("the mailboxes in %s cannot be listed: %w", m.Store, err), exUnavailable)) {
			return
		}
		for _, name := range names {
			if !yield(name, nil) {
				return
			}
		}
	}
}

// accountNames lists the addresses of the accounts. One without a domain is good in all of the block's.
func (m Mailboxes) accountNames() (names []string, err error) {
	list, err := listAccounts(m.Accounts)
	for _, a := range list {
		if strings.Contains(a.Name, "@") {
			names = append(names, a.Name)
			continue
		}
		for _, d := range m.Domains {
			names = append(names, a.Name+"@"+d)
		}
	}
	return names, err
}

// describe describes a mailbox in the store of a block. Its account is another block's if its domain is.
func (l lister) describe(ctx context.Context, block int, name string) (mailboxLine, error) {
	s := l.stores[block]
	block = l.blockOf(name, block)
	box, err := l.blocks[block].mailbox(ctx, l.accounts[block], name)
	if err != nil {
		return mailboxLine{Mailbox: name}, err
	}
	usage, err := s.Usage(ctx, box)
	if err != nil {
		return mailboxLine{Mailbox: name}, fmt.Errorf("count %s: %w", name, err)
	}
	folders, err := s.Folders(ctx, box)
	if err != nil {
		return mailboxLine{Mailbox: name}, fmt.Errorf("list folders of %s: %w", name, err)
	}
	if folders == nil {
		folders = []string{}
	}
	return mailboxLine{name, folders, usage.Messages, usage.Octets}, nil
}

// blockOf gives the block that the domain of a mailbox belongs to, or else otherwise.
func (l lister) blockOf(name string, otherwise int) int {
	for i, m := range l.blocks {
		if slices.Contains(m.Domains, name[strings.LastIndexByte(name, '@')+1:]) {
			return i
		}
	}
	return otherwise
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
	return printList(c, messageLines(list), func(l messageLine) []any {
		return []any{l.ID, l.Date.Format(time.RFC3339), l.Octets, flagWords(l.Flags)}
	})
}

func messageLines(list []store.Message) []messageLine {
	lines := []messageLine{}
	for _, one := range list {
		line := messageLine{one.ID, folderName(one.Folder), one.Date.UTC(), one.Size, one.Flags}
		if line.Flags == nil {
			line.Flags = []store.Flag{}
		}
		lines = append(lines, line)
	}
	return lines
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
