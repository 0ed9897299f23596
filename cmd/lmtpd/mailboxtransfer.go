package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"syscall"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
	"lmtpd/store/transfer"
)

const transferDescription = `PLACE is maildir:DIR, one maildir with its folders (Maildir++), or mbox:FILE, one file with the messages of all folders
(mboxrd; flags in Status, X-Status and X-Keywords, the folder in X-Folder; mbox:- is standard input or output).

Octets, folders, flags and dates are kept. Nothing is removed where it comes from. It can be interrupted and run again:
what is there already is known by its folder, date and content, and not put in twice.`

// transferCommands are those that move whole mailboxes.
func transferCommands() []*cli.Command {
	asJSON := &cli.BoolFlag{Name: "json", Usage: "write JSON", DisableDefaultText: true}
	return []*cli.Command{{
		Name:        "export",
		Usage:       "copy mailbox A to a maildir or an mbox file",
		Description: transferDescription,
		ArgsUsage:   "A PLACE",
		Flags: append(storeFlags(), asJSON,
			&cli.StringFlag{Name: "folder", Usage: "export `FOLDER` alone, its levels divided by / (default: all)"}),
		Action: onMailbox(exportMailbox),
	}, {
		Name:        "import",
		Usage:       "copy a maildir or an mbox file into mailbox A",
		Description: transferDescription,
		ArgsUsage:   "A PLACE",
		Flags: append(storeFlags(), asJSON,
			&cli.StringFlag{Name: "folder", Usage: "put everything into `FOLDER` and folders below it (default: each into its own)"}),
		Action: intoMailbox(importMailbox),
	}, {
		Name:        "copy",
		Usage:       "copy all mailboxes of one store into another",
		Description: copyDescription,
		ArgsUsage:   "STORE STORE",
		Flags:       append(slices.DeleteFunc(storeFlags(), func(f cli.Flag) bool { return f.Names()[0] == "store" }), asJSON),
		Action:      copyStores,
	}}
}

// A transferLine says what became of the messages of a mailbox.
type transferLine struct {
	Mailbox string `json:"mailbox"`
	Put     int    `json:"put"`
	There   int    `json:"there"`
	Failed  int    `json:"failed"`
}

func (p *progress) line(name string) transferLine {
	return transferLine{name, p.outcomes[transfer.Put], p.outcomes[transfer.There], p.failed}
}

func printTransfers(c *cli.Context, lines []transferLine) error {
	return printList(c, lines, func(l transferLine) []any {
		return []any{l.Mailbox, fmt.Sprintf("%d put", l.Put), fmt.Sprintf("%d there already", l.There), fmt.Sprintf("%d failed", l.Failed)}
	})
}

// interruptible gives a context that a signal ends; a second one ends the process.
func interruptible(c *cli.Context) (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(c.Context, syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// interrupted words the end that a signal has made.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return cli.Exit("interrupted; run it again to go on", exTempFail)
	}
	return err
}

// runTransfer runs a transfer from or into a mailbox, and tells what failed.
func runTransfer(c *cli.Context, doing string, do func(context.Context, transfer.Job) error) (*progress, error) {
	ctx, stop := interruptible(c)
	defer stop()
	p := newProgress(c, doing)
	defer p.end()
	spool := transfer.NewSpool("")
	err := do(ctx, transfer.Job{Spool: spool, Watch: p})
	return p, interrupted(ctx, errors.Join(err, spool.Close()))
}

// moveMail is runTransfer that tells the sums too.
func moveMail(c *cli.Context, doing string, m mailbox, do func(context.Context, transfer.Job) error) error {
	p, err := runTransfer(c, doing+" "+m.Name, do)
	if err == nil || p.outcomes != [3]int{} {
		err = errors.Join(err, printTransfers(c, []transferLine{p.line(m.Name)}))
	}
	return errors.Join(err, p.err())
}

// transferred lists the folders that are to be exported.
func (m mailbox) transferred(ctx context.Context) ([]string, error) {
	if m.folder != "" {
		levels, err := store.Levels(m.folder)
		if err == nil && levels == nil {
			return []string{""}, nil
		}
		return []string{m.folder}, err
	}
	return m.searched(ctx)
}

func exportMailbox(c *cli.Context, m mailbox) error {
	to, err := parsePlace(c)
	if err != nil {
		return err
	}
	if to.kind == "mbox" {
		return m.toMbox(c, to.path)
	}
	s, box, err := to.openMaildir(c, m.Name)
	if err != nil {
		return err
	}
	err = moveMail(c, "export", m, func(ctx context.Context, job transfer.Job) error {
		folders, err := m.transferred(ctx)
		if err != nil {
			return err
		}
		from, target := m.transfer(), &transfer.Target{Mailbox: transfer.Mailbox{Store: s, Mailbox: box}}
		if err := job.Copy(ctx, from, folders, target); err != nil || m.folder != "" {
			return err
		}
		return job.Subscribe(ctx, from, target)
	})
	return errors.Join(err, s.Close())
}

func importMailbox(c *cli.Context, m mailbox) error {
	from, err := parsePlace(c)
	if err != nil {
		return err
	}
	into := &transfer.Target{Mailbox: m.transfer()}
	if levels, err := store.Levels(m.folder); err != nil {
		return fmt.Errorf("--folder: %w", err)
	} else if levels != nil {
		into.Below = m.folder
	}
	if from.kind == "mbox" {
		return m.fromMbox(c, from.path, into)
	}
	s, box, err := from.openMaildir(c, m.Name)
	if err != nil {
		return err
	}
	err = moveMail(c, "import", m, func(ctx context.Context, job transfer.Job) error {
		source := mailbox{store: s, Mailbox: box}
		folders, err := source.searched(ctx)
		if errors.Is(err, store.ErrNoMailbox) {
			return cli.Exit(fmt.Sprintf("%s is no maildir", from.path), exDataErr)
		}
		if err != nil {
			return err
		}
		if err := job.Copy(ctx, source.transfer(), folders, into); err != nil {
			return err
		}
		return job.Subscribe(ctx, source.transfer(), into)
	})
	return errors.Join(err, s.Close())
}

func (m mailbox) transfer() transfer.Mailbox {
	return transfer.Mailbox{Store: m.store, Mailbox: m.Mailbox}
}
