// Package transfer moves mail between mailboxes, in whatever stores these are, and between mailboxes and mbox files.
//
// Octets, folders, flags and internal dates stay; subscriptions do where both stores keep them. Nothing is removed from where
// it comes from.
//
// It can be interrupted at any moment and done again: a message is one delivery, so it is there whole, with flags and date,
// or not at all, and one that is there already is passed over. That is known by its folder, the second of its internal date and
// the SHA-256 of its octets with CRLF line ends: of messages that share all three, as many are put in as are missing. Flags do
// not count, for whoever reads mail meanwhile changes them, and what is there already keeps those it has. No file is kept
// beside the mail that could be lost or go wrong. The price is that what is there is read once more, but only those
// messages whose second also comes up on the other side.
//
// Messages go one by one in the order of their dates, each in a delivery of its own, so that incoming mail waits for no more
// than that, and whoever reads them finds them in order. Of each, what is small is in memory; the rest is in a file without a
// name.
//
// Not done: quotas are not looked at, as in every delivery; mail that was removed on one side since an earlier transfer is not
// removed on the other.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lmtpd/store"
)

// A Mailbox is one in its store.
type Mailbox struct {
	Store   store.Store
	Mailbox store.Mailbox
}

// A Watch is told how a transfer gets on.
type Watch interface {
	Expect(messages int)             // so many more will come
	Done(Outcome)                    // with one of them
	Failed(what string, cause error) // one is not there, or something else is missing; the transfer goes on
}

// Outcome says what became of a message that did not fail.
type Outcome int

// The outcomes.
const (
	Put   Outcome = iota // it was put in
	There                // it had been there already
	Gone                 // somebody has removed it from where it was to come from
)

// A letter is a message on its way.
type letter struct {
	folder  string // "" is INBOX
	date    time.Time
	flags   []store.Flag
	content *Spool
}

// A Job is what transfers have in common. Its Spool is used by one at a time.
type Job struct {
	Spool *Spool
	Watch Watch
}

// fatal says that there is no use in going on: nothing more fits, or nobody wants it.
func fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrNoMailbox) || errors.Is(err, errSpool)
}

// Copy puts what is in some folders of a mailbox ("" is INBOX) into a target, and makes them there. It goes on after the
// trouble of one message; an error says why it ended early.
func (j Job) Copy(ctx context.Context, from Mailbox, folders []string, to *Target) error {
	for _, folder := range folders {
		err := to.Store.MakeFolder(ctx, to.Mailbox.Mailbox, to.place(folder))
		switch {
		case err == nil:
		case fatal(ctx, err):
			return fmt.Errorf("make %s: %w", folderName(to.place(folder)), err)
		default:
			j.Watch.Failed("make "+folderName(to.place(folder)), err)
			continue
		}
		if err := j.each(ctx, from, folder, func(l letter) (Outcome, error) { return to.put(ctx, l) }); err != nil {
			return err
		}
	}
	return nil
}

// each does something with every message of a folder.
func (j Job) each(ctx context.Context, from Mailbox, folder string, do func(letter) (Outcome, error)) error {
	list, err := from.Store.Messages(ctx, from.Mailbox, folder)
	if err != nil {
		return fmt.Errorf("list %s: %w", folderName(folder), err)
	}
	j.Watch.Expect(len(list))
	for _, m := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		outcome, err := j.one(ctx, from, m, do)
		switch {
		case err == nil:
			j.Watch.Done(outcome)
		case fatal(ctx, err):
			return fmt.Errorf("%s in %s: %w", m.ID, folderName(folder), err)
		default:
			j.Watch.Failed(m.ID+" in "+folderName(folder), err)
		}
	}
	return nil
}

func (j Job) one(ctx context.Context, from Mailbox, m store.Message, do func(letter) (Outcome, error)) (Outcome, error) {
	r, err := from.Store.Open(ctx, from.Mailbox, m.Folder, m.ID)
	if errors.Is(err, store.ErrNoMessage) {
		return Gone, nil
	}
	if err != nil {
		return Gone, err
	}
	err = j.Spool.fill(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return Gone, fmt.Errorf("read it: %w", err)
	}
	return do(letter{folder: m.Folder, date: m.Date, flags: m.Flags, content: j.Spool})
}

// Subscribe gives a target the subscriptions of a mailbox, if both stores keep them.
func (j Job) Subscribe(ctx context.Context, from Mailbox, to *Target) error {
	there, ok := from.Store.(store.Subscriber)
	here, also := to.Store.(store.Subscriber)
	if !ok || !also {
		return nil
	}
	folders, err := there.Subscriptions(ctx, from.Mailbox)
	if err != nil {
		return fmt.Errorf("subscriptions: %w", err)
	}
	for i, folder := range folders {
		folders[i] = to.place(folder)
	}
	if to.Below != "" {
		had, err := here.Subscriptions(ctx, to.Mailbox.Mailbox)
		if err != nil {
			return fmt.Errorf("subscriptions: %w", err)
		}
		folders = append(folders, had...)
	}
	if err := here.SetSubscriptions(ctx, to.Mailbox.Mailbox, folders); err != nil {
		return fmt.Errorf("subscriptions: %w", err)
	}
	return nil
}

func folderName(folder string) string {
	if folder == "" {
		return "INBOX"
	}
	return folder
}
