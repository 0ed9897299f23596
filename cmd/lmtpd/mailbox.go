package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/store"
)

// mailboxCommand looks into mailboxes. It works on the stores themselves, whether or not a daemon runs.
func mailboxCommand() *cli.Command {
	asJSON := &cli.BoolFlag{Name: "json", Usage: "write JSON", DisableDefaultText: true}
	folder := folderFlag()
	wire := &cli.BoolFlag{Name: "wire", Usage: "end lines with CRLF, as the message was received", DisableDefaultText: true}
	return &cli.Command{
		Name:  "mailbox",
		Usage: "look into mailboxes and change what is in them",
		Subcommands: append([]*cli.Command{{
			Name:   "list",
			Usage:  "list all mailboxes: name, messages, octets",
			Flags:  append(storeFlags(), asJSON),
			Action: listMailboxes,
		}, {
			Name:      "messages",
			Usage:     "list the messages of mailbox A, oldest first: ID, date, octets, flags",
			ArgsUsage: "A",
			Flags:     append(storeFlags(), folder, asJSON),
			Action:    onMailbox(listMessages),
		}, {
			Name:      "show",
			Usage:     "print a message of mailbox A, the newest if no ID is given, octet for octet with LF line ends",
			ArgsUsage: "A [ID]",
			Flags:     append(storeFlags(), folder, wire),
			Action:    onMailbox(showMessage),
		}, {
			Name:      "remove",
			Usage:     "remove messages of mailbox A for good",
			ArgsUsage: "A ID…",
			Flags:     append(storeFlags(), folder),
			Action:    onMailbox(removeMessages),
		}, {
			Name:      "folders",
			Usage:     "list the folders of mailbox A: name, messages, octets, whether it is subscribed to",
			ArgsUsage: "A",
			Flags:     append(storeFlags(), asJSON),
			Action:    onMailbox(listFolders),
		}, {
			Name:      "recount",
			Usage:     "count mailbox A anew: name, messages, octets, and the limits of both",
			ArgsUsage: "A",
			Flags:     append(storeFlags(), asJSON),
			Action:    onMailbox(recountMailbox),
		}}, slices.Concat(sortCommands(), searchCommands(), transferCommands(), upkeepCommands())...),
	}
}

func folderFlag() cli.Flag {
	return &cli.StringFlag{Name: "folder", Usage: "look into `FOLDER`, its levels divided by / (default: INBOX)"}
}

// A mailbox is one mailbox in its store, as a command sees it.
type mailbox struct {
	store store.Store
	store.Mailbox
	folder string // as given; "" is INBOX, or all folders where a message is looked for by its ID
}

// onMailbox makes an action of what is to be done with the mailbox that the first argument names.
func onMailbox(do func(*cli.Context, mailbox) error) cli.ActionFunc {
	return mailboxAction(storeThere, Mailboxes.mailbox, do)
}

// intoMailbox is onMailbox where the mailbox need not be there yet: somebody must have it, and the store is made.
func intoMailbox(do func(*cli.Context, mailbox) error) cli.ActionFunc {
	return mailboxAction(func(Mailboxes) error { return nil }, Mailboxes.mailboxOfAccount, do)
}

// mailboxAction makes an action of what is to be done with a mailbox, after a look at its block, as find finds it.
func mailboxAction(look func(Mailboxes) error, find findMailbox, do func(*cli.Context, mailbox) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		cfg, err := loadConfig(c)
		if err != nil {
			return err
		}
		block, name, err := cfg.findMailbox(c.Args().First())
		if err != nil {
			return err
		}
		cfg.Mailboxes = cfg.Mailboxes[block : block+1] // how things stand in the others is none of our business
		if err := look(cfg.Mailboxes[0]); err != nil {
			return err
		}
		return withStores(c, cfg, func(stores []store.Store) error {
			return cfg.withAccounts(c, func(accounts []account.Source) error {
				box, err := find(cfg.Mailboxes[0], c.Context, accounts[0], name)
				if err != nil {
					return err
				}
				return do(c, mailbox{stores[0], box, c.String("folder")})
			})
		})
	}
}

// findMailbox says where the mailbox of a name is.
type findMailbox func(m Mailboxes, ctx context.Context, accounts account.Source, name string) (store.Mailbox, error)

// mailboxOfAccount is mailbox for a name that must have an account, since nobody would read what others get.
func (m Mailboxes) mailboxOfAccount(ctx context.Context, accounts account.Source, name string) (store.Mailbox, error) {
	if _, err := accounts.Lookup(ctx, name); err != nil {
		return store.Mailbox{}, fmt.Errorf("look up account %s: %w", name, err)
	}
	return m.mailbox(ctx, accounts, name)
}

// mailbox says where the mailbox of a name is and on what terms, as delivery would have it. One without an account may
// have had one.
func (m Mailboxes) mailbox(ctx context.Context, accounts account.Source, name string) (store.Mailbox, error) {
	acct, err := accounts.Lookup(ctx, name)
	switch {
	case errors.Is(err, account.ErrNotFound):
		return store.Mailbox{Name: name, Quota: m.Quota}, nil
	case err != nil:
		return store.Mailbox{}, fmt.Errorf("look up account %s: %w", name, err)
	}
	return m.mailboxOf(acct, name)
}

func (m Mailboxes) mailboxOf(acct account.Account, name string) (store.Mailbox, error) {
	if m.Store.shared() {
		acct = acct.WithoutPlace()
	}
	return delivery.MailboxOf(acct, name, m.Quota)
}

// withStores opens the stores of the configuration for as long as do runs.
func withStores(c *cli.Context, cfg *Config, do func([]store.Store) error) error {
	stores, closeAll, err := openStores(cfg, warnings(c))
	if err != nil {
		return err
	}
	return errors.Join(do(stores), closeAll())
}

// withAccounts opens the accounts of the configuration for as long as do runs.
func (cfg *Config) withAccounts(c *cli.Context, do func([]account.Source) error) error {
	accounts, err := openAccounts(cfg, warnings(c))
	if err != nil {
		return err
	}
	return errors.Join(do(accounts), closeSources(accounts))
}

// warnings is the log of a command.
func warnings(c *cli.Context) *slog.Logger {
	return slog.New(slog.NewTextHandler(c.App.ErrWriter, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// storeThere says whether there is a store to look into, with fs.ErrNotExist if not: opening it would make it. What is in
// the homes of accounts has no directory of its own.
func storeThere(m Mailboxes) error {
	if m.Store.Template.InHome() {
		return nil
	}
	_, err := os.Stat(m.Store.Template.Root())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return cli.Exit(fmt.Errorf("there are no mailboxes in %s: %w", m.Store, err), exNoUser)
	case err != nil:
		return fmt.Errorf("open %s: %w", m.Store, err)
	}
	return nil
}

// trouble says what was being done when err came. An unknown mailbox is told as it is, since that error has the
// name in it and needs no more.
func trouble(doing string, err error) error {
	if errors.Is(err, store.ErrNoMailbox) {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// searched lists the folders in which a message is looked for by its ID.
func (m mailbox) searched(ctx context.Context) ([]string, error) {
	if m.folder != "" {
		return []string{m.folder}, nil
	}
	folders, err := m.store.Folders(ctx, m.Mailbox)
	if err != nil {
		return nil, trouble("list folders of "+m.Name, err)
	}
	return append([]string{""}, folders...), nil
}

// find does what is to be done in the first folder that has the message.
func (m mailbox) find(ctx context.Context, id string, do func(folder string) error) error {
	folders, err := m.searched(ctx)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := do(folder); !errors.Is(err, store.ErrNoMessage) {
			return err
		}
	}
	return fmt.Errorf("%s in %s: %w", id, m.Name, store.ErrNoMessage)
}

// open opens the message id, or the newest one of the folder if id is "".
func (m mailbox) open(ctx context.Context, id string) (message io.ReadCloser, err error) {
	if id != "" {
		err = m.find(ctx, id, func(folder string) (err error) {
			message, err = m.store.Open(ctx, m.Mailbox, folder, id)
			return err
		})
		return message, err
	}
	list, err := m.messages(ctx)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s of %s is empty: %w", folderName(m.folder), m.Name, store.ErrNoMessage)
	}
	newest := list[len(list)-1]
	return m.store.Open(ctx, m.Mailbox, m.folder, newest.ID)
}

func (m mailbox) messages(ctx context.Context) ([]store.Message, error) {
	list, err := m.store.Messages(ctx, m.Mailbox, m.folder)
	if err != nil {
		return nil, trouble("list "+folderName(m.folder)+" of "+m.Name, err)
	}
	return list, nil
}

func showMessage(c *cli.Context, m mailbox) error {
	message, err := m.open(c.Context, c.Args().Get(1))
	if err != nil {
		return err
	}
	defer message.Close()
	w := bufio.NewWriter(c.App.Writer)
	if c.Bool("wire") {
		_, err = io.Copy(w, message)
		return errors.Join(err, w.Flush())
	}
	lf := &lfWriter{w: w}
	_, err = io.Copy(lf, message)
	return errors.Join(err, lf.Flush())
}

// removeMessages removes all it can and reports what it could not.
func removeMessages(c *cli.Context, m mailbox) error {
	var errs []error
	for _, id := range c.Args().Tail() {
		errs = append(errs, m.find(c.Context, id, func(folder string) error {
			return m.store.Remove(c.Context, m.Mailbox, folder, id)
		}))
	}
	return errors.Join(errs...)
}

func folderName(folder string) string {
	if folder == "" {
		return "INBOX"
	}
	return folder
}
