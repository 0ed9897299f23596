package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
)

const searchDescription = `It needs the index that search = true in the [[mailboxes]] block of a database has serve keep up, or that "lmtpd mailbox index"
makes. A message that came a moment ago may not be in it yet, which is told.

QUERY is words that must all be there, whole or by their beginning (inv*), or phrases in double quotes; OR, NOT and parentheses;
a NEAR/5 b. subject:word, author:word (From, Sender, Reply-To), recipients:word (To, Cc, Bcc) and text:word look there alone.`

// searchCommands are those of the full-text index.
func searchCommands() []*cli.Command {
	return []*cli.Command{{
		Name:        "search",
		Usage:       "list the messages of mailbox A that have what QUERY asks for, oldest first: ID, folder, date, octets, flags",
		Description: searchDescription,
		ArgsUsage:   "A QUERY",
		Flags: append(storeFlags(),
			&cli.StringFlag{Name: "folder", Usage: "search `FOLDER` alone, its levels divided by / (default: all)"},
			&cli.BoolFlag{Name: "json", Usage: "write JSON", DisableDefaultText: true}),
		Action: onMailbox(searchMailbox),
	}, {
		Name:  "index",
		Usage: "make the full-text index, or bring it up to date, while mail comes in",
		Flags: append(storeFlags(),
			&cli.BoolFlag{Name: "drop", Usage: "remove the index", DisableDefaultText: true}),
		Action: indexStores,
	}}
}

func searchMailbox(c *cli.Context, m mailbox) error {
	s, ok := m.store.(store.Searcher)
	if !ok {
		return cli.Exit(fmt.Sprintf("the mail of %s is not in a database, and only that has a full-text index", m.Name), exUnavailable)
	}
	levels, err := store.Levels(m.folder)
	if err != nil {
		return fmt.Errorf("--folder: %w", err)
	}
	found, behind, err := s.Search(c.Context, m.Mailbox, c.Args().Get(1))
	if errors.Is(err, store.ErrNoIndex) {
		return fmt.Errorf("search %s: %w; search = true in the configuration has one kept up, and lmtpd mailbox index makes one", m.Name, err)
	}
	if err != nil {
		return trouble("search "+m.Name, err)
	}
	if behind > 0 {
		warnings(c).Warn("the index is behind", "messages", behind)
	}
	if folder := strings.Join(levels, "/"); m.folder != "" {
		found = slices.DeleteFunc(found, func(one store.Message) bool { return one.Folder != folder })
	}
	return printList(c, messageLines(found), func(l messageLine) []any {
		return []any{l.ID, l.Folder, l.Date.Format(time.RFC3339), l.Octets, flagWords(l.Flags)}
	})
}

// indexStores brings the indexes up to date that the configuration wants, or else those of all stores that can have one.
func indexStores(c *cli.Context) error {
	return onStores(c, func(ctx context.Context, all []namedStore) error {
		can := slices.DeleteFunc(slices.Clone(all), func(s namedStore) bool {
			_, ok := s.Store.(store.Searcher)
			return !ok
		})
		if len(can) == 0 {
			return cannot(all[0], "index: it is no database")
		}
		if wanted := func(s namedStore) bool { return s.search }; !c.Bool("drop") && slices.ContainsFunc(can, wanted) {
			can = slices.DeleteFunc(can, func(s namedStore) bool { return !wanted(s) })
		}
		var errs []error
		for _, s := range can {
			errs = append(errs, indexStore(ctx, c, s))
		}
		return errors.Join(errs...)
	})
}

func indexStore(ctx context.Context, c *cli.Context, s namedStore) error {
	index := s.Store.(store.Searcher)
	if c.Bool("drop") {
		return index.Unindex(ctx)
	}
	contents, err := index.Index(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", s.url, err)
	}
	_, err = fmt.Fprintf(c.App.Writer, "%s  %d contents put in\n", s.url, contents)
	return err
}
