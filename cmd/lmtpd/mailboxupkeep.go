package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
)

// upkeepCommands are those that look after whole stores.
func upkeepCommands() []*cli.Command {
	return []*cli.Command{{
		Name:        "check",
		Usage:       "look for damage in mailbox A, or in all with --all",
		Description: checkMailboxDescription,
		ArgsUsage:   "[A]",
		Flags: append(storeFlags(),
			&cli.BoolFlag{Name: "all", Usage: "check all mailboxes, and what belongs to none", DisableDefaultText: true},
			&cli.BoolFlag{Name: "repair", Usage: "put right what can be", DisableDefaultText: true},
			&cli.BoolFlag{Name: "json", Usage: "write JSON", DisableDefaultText: true}),
		Action: checkMailboxes,
	}, {
		Name:   "vacuum",
		Usage:  "give back to the disk what removed messages took, while mail comes in",
		Flags:  storeFlags(),
		Action: vacuumStores,
	}, {
		Name:      "backup",
		Usage:     "copy the store as it is at one moment to FILE, which must not be there, while mail comes in",
		ArgsUsage: "FILE",
		Flags:     storeFlags(),
		Action:    backupStore,
	}}
}

// vacuumStores vacuums all stores that can be, and it is an error if none can.
func vacuumStores(c *cli.Context) error {
	return onStores(c, func(ctx context.Context, all []namedStore) error {
		can := slices.DeleteFunc(slices.Clone(all), func(s namedStore) bool {
			_, ok := s.Store.(store.Vacuumer)
			return !ok
		})
		if len(can) == 0 {
			return cannot(all[0], "vacuum: its files go with their messages")
		}
		var errs []error
		for _, s := range can {
			octets, err := s.Store.(store.Vacuumer).Vacuum(ctx)
			if err != nil {
				errs = append(errs, fmt.Errorf("vacuum %s: %w", s.url, err))
				continue
			}
			_, err = fmt.Fprintf(c.App.Writer, "%s  %d octets given back\n", s.url, octets)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// backupStore backs the one store up that there is.
func backupStore(c *cli.Context) error {
	return onStores(c, func(ctx context.Context, all []namedStore) error {
		if len(all) > 1 {
			return usage(c, "there are several stores: name the one to back up with --store")
		}
		s, ok := all[0].Store.(store.Backuper)
		if !ok {
			return cannot(all[0], "backup: copy its files, which are whole at every moment")
		}
		err := s.Backup(ctx, c.Args().First())
		if errors.Is(err, fs.ErrExist) {
			return cli.Exit(fmt.Errorf("%w; it is not replaced", err), exCantCreate)
		}
		if err != nil {
			return fmt.Errorf("back up %s: %w", all[0].url, err)
		}
		return nil
	})
}

// cannot says that a store has no use for a command.
func cannot(s namedStore, command string) error {
	return cli.Exit(fmt.Sprintf("%s cannot do %s", s.url, command), exUnavailable)
}

// A namedStore is a store and what the configuration calls it.
type namedStore struct {
	store.Store
	url    string
	search bool // the configuration wants an index
}

// onStores does something with the stores of the configuration that are there, each once. A signal interrupts it.
func onStores(c *cli.Context, do func(context.Context, []namedStore) error) error {
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	if cfg.Mailboxes, err = storesThere(cfg.Mailboxes); err != nil {
		return err
	}
	return withStores(c, cfg, func(stores []store.Store) error {
		var all []namedStore
		for i, s := range stores {
			if slices.Index(stores, s) == i {
				all = append(all, namedStore{s, cfg.Mailboxes[i].Store.String(), wantsIndex(s, cfg.Mailboxes, stores)})
			}
		}
		ctx, stop := interruptible(c)
		defer stop()
		return interrupted(ctx, do(ctx, all))
	})
}
