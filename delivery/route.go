package delivery

import (
	"context"
	"errors"
	"fmt"

	"lmtpd/auth/account"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A target is one mailbox that mail for a recipient goes to.
type target struct {
	block   *Block
	address string // as in Delivered-To
	mailbox store.Mailbox
	folder  string
	missing store.Missing
	err     error // why nothing goes there
}

// What routing finds out, beside store.ErrNoMailbox.
var (
	errNotLocal = errors.New("domain is not local")
	errDisabled = errors.New("account takes no mail")
)

// resolve finds a recipient's mailboxes. That there is no such account is an answer; that the accounts could not be
// looked at is not.
func (a *Agent) resolve(ctx context.Context, to smtp.Path, ex *Explanation) []target {
	b, addr := a.locate(to)
	ex.block(b, addr)
	if b == nil {
		return []target{{address: to.String(), err: errNotLocal}}
	}
	t := a.target(ctx, b, addr, ex)
	t.address = to.String()
	return []target{t}
}

// target finds the mailbox of an address.
func (a *Agent) target(ctx context.Context, b *Block, addr address, ex *Explanation) target {
	t := target{block: b, address: addr.local + "@" + addr.domain, mailbox: store.Mailbox{Name: addr.base + "@" + addr.domain}}
	acct, found, err := b.account(ctx, addr)
	ex.account(found, acct, err)
	switch {
	case errors.Is(err, account.ErrNotFound):
		t.err = store.ErrNoMailbox
	case err != nil:
		t.err = fmt.Errorf("look up account: %w", err)
	case acct.Disabled.Delivery:
		t.err = errDisabled
	}
	if t.err != nil {
		return t
	}
	if t.mailbox, t.err = MailboxOf(acct, found.base+"@"+found.domain, b.Quota); t.err != nil {
		return t
	}
	t.folder, t.missing = b.folder(found.detail)
	ex.mailbox(&t)
	return t
}

// account looks an address up: whole, and then, as it is not there, without its detail. Where every name has an account,
// none has a delimiter in it.
func (b *Block) account(ctx context.Context, addr address) (account.Account, address, error) {
	whole := address{local: addr.local, base: addr.local, domain: addr.domain}
	if addr.base != addr.local && b.Accounts != (account.Any{}) {
		acct, err := b.Accounts.Lookup(ctx, whole.base+"@"+whole.domain)
		if !errors.Is(err, account.ErrNotFound) {
			return acct, whole, err
		}
	}
	acct, err := b.Accounts.Lookup(ctx, addr.base+"@"+addr.domain)
	return acct, addr, err
}

// counts says whether what goes there counts towards a quota.
func (t *target) counts() bool {
	return t.mailbox.Quota.Limited() && !t.mailbox.Quota.Ignores(t.folder)
}
