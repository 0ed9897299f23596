package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
)

// sortCommands are those that sort messages.
func sortCommands() []*cli.Command {
	return []*cli.Command{{
		Name:      "flag",
		Usage:     "change the flags of messages of mailbox A",
		ArgsUsage: "A ID…",
		Flags: append(storeFlags(), folderFlag(),
			&cli.StringSliceFlag{Name: "add", Usage: "add the flag or keyword `F`, as in '\\Seen'; may be repeated"},
			&cli.StringSliceFlag{Name: "remove", Usage: "remove the flag or keyword `F`; may be repeated"},
			&cli.StringSliceFlag{Name: "set", Usage: "replace all flags with `F`; may be repeated; --set= leaves none"}),
		Action: onMailbox(flagMessages),
	}, {
		Name:      "move",
		Usage:     "move messages of mailbox A to another folder",
		ArgsUsage: "A ID…",
		Flags: append(storeFlags(), folderFlag(),
			&cli.StringFlag{Name: "to", Usage: "put them into `FOLDER`, which is made if it is not there"}),
		Action: onMailbox(moveMessages),
	}}
}

// locate finds messages by their IDs with one look at each folder, in the order of the IDs. What it did not find is in err.
func (m mailbox) locate(ctx context.Context, ids []string) (found []store.Message, err error) {
	folders, err := m.searched(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[string]store.Message{}
	for _, folder := range folders {
		list, err := mailbox{m.store, m.Mailbox, folder}.messages(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			if _, twice := byID[one.ID]; !twice {
				byID[one.ID] = one
			}
		}
	}
	var errs []error
	for _, id := range ids {
		if one, ok := byID[id]; ok {
			found = append(found, one)
		} else {
			errs = append(errs, fmt.Errorf("%s in %s: %w", id, m.Name, store.ErrNoMessage))
		}
	}
	return found, errors.Join(errs...)
}

// sort does something to the messages that the arguments name: to all it can, then it reports what it could not.
func (m mailbox) sort(c *cli.Context, do func(store.Message) error) error {
	found, err := m.locate(c.Context, c.Args().Tail())
	errs := []error{err}
	for _, one := range found {
		if err := do(one); err != nil {
			errs = append(errs, fmt.Errorf("%s in %s: %w", one.ID, m.Name, err))
		}
	}
	return errors.Join(errs...)
}

// moveMessages puts messages into another folder, which is made if it is not there.
func moveMessages(c *cli.Context, m mailbox) error {
	to := c.String("to")
	if to == "" {
		return usage(c, "--to FOLDER is missing: where shall they go?")
	}
	if _, err := store.Levels(to); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	return m.sort(c, func(one store.Message) error {
		return m.store.Move(c.Context, m.Mailbox, one.Folder, one.ID, to)
	})
}

// flagMessages changes the flags of messages.
func flagMessages(c *cli.Context, m mailbox) error {
	change, err := readFlagChange(c)
	if err != nil {
		return err
	}
	return m.sort(c, func(one store.Message) error {
		return m.store.SetFlags(c.Context, m.Mailbox, one.Folder, one.ID, change.of(one.Flags))
	})
}
