package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/store"
)

const checkMailboxDescription = `Every message is read to its end: its size must be what the store says, and the sum of all what it counts. A store
that can look deeper (sqlite: contents against their hashes, parts that belong to nothing) does so.

What is wrong is told, one line each, and makes the exit code 65. With --repair it is put right as far as no message is lost
by it; what was put right is told, too, and is no error any more.`

// A damageLine is something wrong in a mailbox.
type damageLine struct {
	Mailbox  string `json:"mailbox"`
	Folder   string `json:"folder"`
	ID       string `json:"id"`
	What     string `json:"what"`
	Repaired bool   `json:"repaired"`
}

// An inspection goes through mailboxes and notes what is wrong.
type inspection struct {
	*progress
	ctx    context.Context
	repair store.Repair
	lines  []damageLine
	errs   []error
}

func (i *inspection) note(d store.Damage) {
	folder := d.Folder
	if d.ID != "" {
		folder = folderName(folder)
	}
	i.lines = append(i.lines, damageLine{d.Mailbox, folder, d.ID, d.What, d.PutRight})
}

// fail notes what could not be looked at.
func (i *inspection) fail(doing string, err error) {
	if err != nil {
		i.errs = append(i.errs, trouble(doing, err))
	}
}

// checkMailboxes checks one mailbox, or all with what belongs to none.
func checkMailboxes(c *cli.Context) error {
	all := c.Bool("all")
	if all == c.Args().Present() {
		return usage(c, "give either a mailbox or --all")
	}
	if !all {
		return onMailbox(func(c *cli.Context, m mailbox) error {
			return inspect(c, func(i *inspection) { i.mailbox(m); i.deep(m.store, &m.Mailbox) })
		})(c)
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	if cfg.Mailboxes, err = storesThere(cfg.Mailboxes); err != nil {
		return err
	}
	return withStores(c, cfg, func(stores []store.Store) error {
		return cfg.withAccounts(c, func(accounts []account.Source) error {
			return inspect(c, func(i *inspection) { i.all(lister{cfg.Mailboxes, stores, accounts}) })
		})
	})
}

// inspect runs an inspection and tells what it found.
func inspect(c *cli.Context, do func(*inspection)) error {
	ctx, stop := interruptible(c)
	defer stop()
	i := &inspection{progress: newProgress(c, "check"), ctx: ctx}
	if c.Bool("repair") {
		i.repair = store.PutRight
	}
	do(i)
	i.end()
	if i.lines == nil {
		i.lines = []damageLine{}
	}
	err := printList(c, i.lines, func(l damageLine) []any {
		return []any{dash(l.Mailbox), dash(l.Folder), dash(l.ID), l.sentence()}
	})
	err = errors.Join(err, interrupted(ctx, errors.Join(i.errs...)))
	if err == nil && slices.ContainsFunc(i.lines, func(l damageLine) bool { return !l.Repaired }) {
		return cli.Exit("", exDataErr)
	}
	return err
}

func (l damageLine) sentence() string {
	if l.Repaired {
		return l.What + "; repaired"
	}
	return l.What
}

func dash(word string) string {
	if word == "" {
		return "-"
	}
	return word
}

// all inspects all mailboxes of all stores, each once, and what is nobody's.
func (i *inspection) all(l lister) {
	for n, s := range l.stores {
		if slices.Index(l.stores, s) < n {
			continue
		}
		for name, err := range l.names(i.ctx, n) {
			if err != nil {
				i.fail("list mailboxes", err)
				continue
			}
			block := l.blockOf(name, n)
			box, err := l.blocks[block].mailbox(i.ctx, l.accounts[block], name)
			if err != nil {
				i.fail(name, err)
				continue
			}
			if _, err := s.Usage(i.ctx, box); errors.Is(err, store.ErrNoMailbox) {
				continue // an account that has got no mail yet
			}
			i.mailbox(mailbox{store: s, Mailbox: box})
			if i.ctx.Err() != nil {
				i.fail(name, i.ctx.Err())
				return
			}
		}
		i.deep(s, nil)
	}
}

// deep lets a store look for what only it can see.
func (i *inspection) deep(s store.Store, box *store.Mailbox) {
	checker, ok := s.(store.Checker)
	if !ok {
		return
	}
	for damage, err := range checker.Inspect(i.ctx, box, i.repair) {
		if err != nil {
			i.fail("check the store", err)
			continue
		}
		i.note(damage)
	}
}

// mailbox inspects what the contract of a store lets everybody see.
func (i *inspection) mailbox(m mailbox) {
	folders, err := m.searched(i.ctx)
	if err != nil {
		i.fail(m.Name, err)
		return
	}
	for _, folder := range folders {
		m.folder = folder
		i.folder(m)
	}
	if i.ctx.Err() == nil {
		i.count(m)
	}
}

// folder reads all messages of a folder.
func (i *inspection) folder(m mailbox) {
	list, err := m.messages(i.ctx)
	if err != nil {
		i.fail(m.Name, err)
		return
	}
	i.Expect(len(list))
	for _, one := range list {
		if i.ctx.Err() != nil {
			i.fail(m.Name, i.ctx.Err())
			return
		}
		if what := m.readable(i.ctx, one); what != "" && i.ctx.Err() == nil {
			i.note(store.Damage{Mailbox: m.Name, Folder: m.folder, ID: one.ID, What: what})
		}
		i.step()
	}
}

// readable reads a message and says what is wrong with it.
func (m mailbox) readable(ctx context.Context, one store.Message) string {
	r, err := m.store.Open(ctx, m.Mailbox, m.folder, one.ID)
	if errors.Is(err, store.ErrNoMessage) {
		return "" // removed since the folder was listed
	}
	if err != nil {
		return fmt.Sprintf("cannot be opened: %v", err)
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	switch {
	case err != nil:
		return fmt.Sprintf("cannot be read: %v", err)
	case n != one.Size:
		return fmt.Sprintf("has %d octets, not %d", n, one.Size)
	}
	return ""
}

// countTries is how often a mailbox is counted that mail comes into meanwhile.
const countTries = 5

// count holds the count that the store keeps against the messages. Some stores count octets as they lie on the disk, so that
// only a count anew can tell; mail that comes or goes meanwhile is no damage.
func (i *inspection) count(m mailbox) {
	var kept, sum store.Usage
	for try := 0; ; try++ {
		var again store.Usage
		var errs [3]error
		kept, errs[0] = m.store.Usage(i.ctx, m.Mailbox)
		sum, errs[1] = m.sum(i.ctx)
		again, errs[2] = m.store.Usage(i.ctx, m.Mailbox)
		if err := errors.Join(errs[:]...); err != nil {
			i.fail("count "+m.Name, err)
			return
		}
		if kept.Messages == sum.Messages && (m.Quota.Limited() || kept.Octets == sum.Octets) {
			return
		}
		if kept == again {
			break
		}
		if try == countTries {
			return
		}
	}
	damage := store.Damage{Mailbox: m.Name, What: fmt.Sprintf("counts %d messages of %d octets, but has %d of %d", kept.Messages, kept.Octets, sum.Messages, sum.Octets)}
	if i.repair == store.PutRight {
		if _, err := m.store.Recount(i.ctx, m.Mailbox); err != nil {
			i.fail("count "+m.Name, err)
		} else {
			damage.PutRight = true
		}
	}
	i.note(damage)
}

// sum counts what is listed.
func (m mailbox) sum(ctx context.Context) (sum store.Usage, err error) {
	folders, err := m.store.Folders(ctx, m.Mailbox)
	if err != nil {
		return sum, err
	}
	for _, folder := range append(folders, "") {
		if folder != "" && m.Quota.Ignores(folder) {
			continue
		}
		list, err := m.store.Messages(ctx, m.Mailbox, folder)
		if err != nil {
			return sum, err
		}
		for _, one := range list {
			sum.Messages++
			sum.Octets += one.Size
		}
	}
	return sum, nil
}
