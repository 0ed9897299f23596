package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/store"
	"lmtpd/store/transfer"
)

const copyDescription = `STORE is a store as in the configuration: maildir:/var/mail/%d/%n. All mailboxes of the first are copied into
the second, which is made if it is not there; with --config the owners and limits of accounts are kept to.

Octets, folders, subscriptions, flags and dates are kept. Nothing is removed. It can be interrupted and run again: what is
there already is known by its folder, date and content, and not put in twice. So a migration is: copy while mail comes in, stop the
daemon, copy again, change the configuration, start the daemon.`

// A migration is under way from one store to another.
type migration struct {
	*cli.Context
	from, to lister
	own      []Mailboxes // the blocks with the stores that the configuration gives them
	spool    *transfer.Spool
	lines    []transferLine
	errs     []error
}

func copyStores(c *cli.Context) error {
	o, err := readOverrides(c)
	if err != nil {
		return err
	}
	own, err := o.load()
	if err != nil {
		return err
	}
	var ends [2]*Config
	for i, arg := range c.Args().Slice() {
		if _, err := parseStore(arg); err != nil {
			return usage(c, "%v", err)
		}
		o.store = arg
		if ends[i], err = o.load(); err != nil {
			return err
		}
	}
	if ends[0].Mailboxes[0].Store.String() == ends[1].Mailboxes[0].Store.String() {
		return usage(c, "both stores are %s", ends[0].Mailboxes[0].Store)
	}
	if err := storeThere(ends[0].Mailboxes[0]); err != nil {
		return err
	}
	return withStores(c, ends[0], func(from []store.Store) error {
		return withStores(c, ends[1], func(to []store.Store) error {
			return own.withAccounts(c, func(accounts []account.Source) error {
				spool := transfer.NewSpool("")
				m := migration{Context: c, own: own.Mailboxes, spool: spool,
					from: lister{ends[0].Mailboxes, from, accounts}, to: lister{ends[1].Mailboxes, to, accounts}}
				return errors.Join(m.run(), spool.Close())
			})
		})
	})
}

// run copies one mailbox after the other, and goes on after the trouble of one.
func (m *migration) run() error {
	ctx, stop := interruptible(m.Context)
	defer stop()
	for name, err := range m.from.names(ctx, 0) {
		if err == nil {
			err = m.copy(ctx, name)
		}
		if ctx.Err() != nil || errors.Is(err, store.ErrFull) {
			m.errs = append(m.errs, interrupted(ctx, err))
			break
		}
		m.errs = append(m.errs, err)
	}
	return errors.Join(append(m.errs, printTransfers(m.Context, m.lines))...)
}

// copy copies one mailbox.
func (m *migration) copy(ctx context.Context, name string) error {
	source, err := m.mailbox(ctx, m.from, name)
	if err != nil {
		return err
	}
	target, err := m.mailbox(ctx, m.to, name)
	if err != nil {
		return err
	}
	folders, err := source.searched(ctx)
	if errors.Is(err, store.ErrNoMailbox) {
		return nil // an account that has got no mail yet
	}
	if err != nil {
		return err
	}
	p := newProgress(m.Context, name)
	defer p.end()
	into := &transfer.Target{Mailbox: target.transfer()}
	job := transfer.Job{Spool: m.spool, Watch: p}
	err = job.Copy(ctx, source.transfer(), folders, into)
	if err == nil {
		err = job.Subscribe(ctx, source.transfer(), into)
	}
	m.lines = append(m.lines, p.line(name))
	if err != nil {
		err = fmt.Errorf("copy %s: %w", name, err)
	}
	return errors.Join(err, p.err())
}

// mailbox finds a mailbox at one end. The path that an account has is good in the store that its block has.
func (m *migration) mailbox(ctx context.Context, end lister, name string) (mailbox, error) {
	block := end.blockOf(name, 0)
	box, err := end.blocks[block].mailbox(ctx, end.accounts[block], name)
	if end.blocks[block].Store.String() != m.own[block].Store.String() {
		box.Path = ""
	}
	return mailbox{store: end.stores[block], Mailbox: box}, err
}
