package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"lmtpd/auth/account"
	"lmtpd/delivery/alias"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A target is one mailbox that mail for a recipient goes to.
type target struct {
	block   *Block
	address string    // as in Delivered-To
	remote  smtp.Path // where it goes if it is not in a domain of ours; else null
	holder  holder
	mailbox store.Mailbox
	box     box // the mailbox, whatever its name is
	folder  string
	missing store.Missing
	kept    string // the folder that it went to in the end
	had     bool   // it is there from an earlier attempt
	err     error  // why nothing goes there
	unsure  bool   // it may be there, whatever err says
}

// What routing finds out, beside store.ErrNoMailbox.
var (
	errNotLocal       = errors.New("domain is not local")
	errDisabled       = errors.New("account takes no mail")
	errTooManyTargets = fmt.Errorf("more than %d mailboxes for one message", maxTargets)
)

// A query is who asks for a recipient, and who wants to hear how it is found; the second may be nil.
type query struct {
	env       *smtp.Envelope
	ex        *Explanation
	submitted bool // it may go elsewhere; mail of others is sent on because of an alias, or not at all
}

// resolve finds a recipient's mailboxes. That there is no such account is an answer; that the accounts, or aliases,
// could not be looked at is not. A recipient one of whose targets is elsewhere is not for us as a whole: nobody is to have
// mail that its sender is told was refused.
func (a *Agent) resolve(ctx context.Context, q query, to smtp.Path) []target {
	b, addr := a.locate(to)
	q.ex.block(b, addr)
	if b == nil {
		t := target{address: to.String(), err: errNotLocal}
		if q.submitted {
			t = a.elsewhere(q.env.From, to)
		}
		return []target{t}
	}
	if back, is := a.reversed(q.env.From, to); is {
		return []target{back}
	}
	found, err := a.aliases.Expand(addr)
	q.ex.aliases(found, err)
	if err != nil {
		return []target{{address: to.String(), err: err}}
	}
	if len(found) == 0 {
		t := a.target(ctx, b, addr, q.ex)
		t.address = to.String()
		return wholly(a.caught(ctx, q, t, addr))
	}
	var targets []target
	for _, f := range found {
		t := a.expanded(ctx, q, f)
		if f.Final {
			targets = append(targets, t)
		} else {
			targets = append(targets, a.caught(ctx, q, t, f.Address)...)
		}
	}
	return wholly(targets)
}

// wholly is the targets, or the one that is elsewhere.
func wholly(targets []target) []target {
	i := slices.IndexFunc(targets, func(t target) bool { return errors.Is(t.err, errNotLocal) })
	if i < 0 {
		return targets
	}
	return targets[i : i+1]
}

// aliasDomain is what package alias has to know of a domain of ours.
func (a *Agent) aliasDomain(name string) (alias.Domain, bool) {
	b := a.domains[name]
	if b == nil {
		return alias.Domain{}, false
	}
	return alias.Domain{Aliases: b.Aliases, Delimiters: b.Delimiters}, true
}

// expanded is the target that an alias has led to.
func (a *Agent) expanded(ctx context.Context, q query, f alias.Target) target {
	if f.Remote {
		return a.elsewhere(a.onwardFrom(q.env.From), f.Address.Path())
	}
	t := a.target(ctx, a.domains[f.Address.Domain], f.Address, q.ex)
	t.address = f.Address.String()
	return t
}

// caught is a target, or what stands for those that have no account of their own.
func (a *Agent) caught(ctx context.Context, q query, t target, addr alias.Address) []target {
	if !errors.Is(t.err, store.ErrNoMailbox) {
		return []target{t}
	}
	found, err := a.aliases.CatchAll(addr)
	q.ex.aliases(found, err)
	if err != nil {
		t.err = err
	}
	if len(found) == 0 {
		return []target{t}
	}
	targets := make([]target, len(found))
	for i, f := range found {
		targets[i] = a.expanded(ctx, q, f)
	}
	return targets
}

// target finds the mailbox of an address.
func (a *Agent) target(ctx context.Context, b *Block, addr alias.Address, ex *Explanation) target {
	name := addr.Local + "@" + addr.Domain
	t := target{block: b, mailbox: store.Mailbox{Name: name}}
	acct, found, err := b.account(ctx, addr, name)
	ex.account(found, acct, err)
	switch {
	case errors.Is(err, account.ErrNotFound):
		t.err = store.ErrNoMailbox
	case err != nil:
		t.err = fmt.Errorf("look up account: %w", err)
	case acct.Disabled.Delivery:
		t.err = errDisabled
	}
	if err == nil {
		t.holder = holderOf(b, acct, found)
	}
	if t.err != nil {
		return t
	}
	if found != addr {
		name = found.Local + "@" + found.Domain
	}
	if b.Places == PlacesIgnored {
		acct = acct.WithoutPlace()
	}
	if t.mailbox, t.err = MailboxOf(acct, name, b.Quota); t.err != nil {
		return t
	}
	t.box = boxOf(b.Store, t.mailbox)
	t.folder, t.missing = b.folder(found.Detail)
	t.err = t.useInbox(ctx)
	t.kept = t.folder
	ex.mailbox(&t)
	return t
}

// useInbox has the message go to INBOX if its folder is not there. The store would find out, but what goes to INBOX shares
// a copy with other recipients there, and counts towards a quota that the folder may not count towards.
func (t *target) useInbox(ctx context.Context) error {
	if t.missing != store.UseInbox {
		return nil
	}
	folders, err := t.block.Store.Folders(ctx, t.mailbox)
	if err != nil && !errors.Is(err, store.ErrNoMailbox) {
		return fmt.Errorf("look for a folder: %w", err)
	}
	if !slices.Contains(folders, t.folder) {
		t.folder, t.missing = "", store.MakeFolder
	}
	return nil
}

// account looks an address up: whole, and then, as it is not there, without its detail. Where every name has an account,
// none has a delimiter in it. name is the address without its detail. That the whole address may have an account by now
// does not put in doubt who is there without its detail, as an alias that may have come does not.
func (b *Block) account(ctx context.Context, addr alias.Address, name string) (account.Account, alias.Address, error) {
	if addr.Local == "" {
		return account.Account{}, addr, account.ErrNotFound
	}
	var unsure error
	if addr.Detail != "" && b.Accounts != (account.Any{}) {
		all := whole(addr)
		acct, err := b.Accounts.Lookup(ctx, all.Local+"@"+all.Domain)
		switch {
		case errors.Is(err, account.ErrUnsure):
			unsure = err
		case !errors.Is(err, account.ErrNotFound):
			return acct, all, err
		}
	}
	acct, err := b.Accounts.Lookup(ctx, name)
	if unsure != nil && errors.Is(err, account.ErrNotFound) {
		err = unsure // the file has been taken in between, and may have the whole address
	}
	return acct, addr, err
}

// counts says whether what goes there counts towards a quota.
func (t *target) counts() bool {
	return t.mailbox.Quota.Limited() && !t.mailbox.Quota.Ignores(t.folder)
}
