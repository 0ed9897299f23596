package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"lmtpd/auth/account"
	"lmtpd/delivery/alias"
	"lmtpd/protocol/smtp"
)

// A holder is whose a mailbox is. An account without a domain is the same one in all domains of its block.
type holder struct {
	block *Block
	name  string
}

func holderOf(b *Block, acct account.Account, found alias.Address) holder {
	return holder{b, cmp.Or(acct.Name, found.Local+"@"+found.Domain)}
}

// Owns says whether an address belongs to an account, which is named by its own: it is that, with any detail, or what is sent
// to it goes to the account's mailbox alone. An error says that it could not be told.
func (a *Agent) Owns(ctx context.Context, name string, address smtp.Path) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Lookup)
	defer cancel()
	own, err := smtp.ParseMailbox(name, smtp.UTF8)
	if err != nil {
		own = smtp.Path{Local: name}
	}
	if address.Domain == "" { // as it is left in From (RFC 6409 §8.1), it is the account's
		address.Domain = own.Domain
	}
	if a.home(own) == a.home(address) {
		return true, nil
	}
	targets := a.certainly(ctx, query{env: &smtp.Envelope{}}, address)
	if len(targets) != 1 {
		return false, nil
	}
	t := targets[0]
	if t.isRemote() {
		return false, nil
	}
	if t.holder == (holder{}) {
		if replyFor(t.err).Transient() {
			return false, fmt.Errorf("find the account of <%s>: %w", address, t.err)
		}
		return false, nil
	}
	h, err := a.holderOf(ctx, own)
	return h == t.holder, err
}

// home is an address as it is compared, with the domain of those that have none.
func (a *Agent) home(p smtp.Path) smtp.Path {
	p.Domain = cmp.Or(p.Domain, a.cfg.Blocks[0].Domains[0])
	return Fold(p)
}

// holderOf finds an account by its name; the zero holder is none.
func (a *Agent) holderOf(ctx context.Context, own smtp.Path) (holder, error) {
	b, addr := a.locate(own)
	if b == nil {
		return holder{}, nil
	}
	acct, found, err := b.account(ctx, addr, addr.Local+"@"+addr.Domain)
	switch {
	case errors.Is(err, account.ErrNotFound):
		return holder{}, nil
	case err != nil:
		return holder{}, fmt.Errorf("look up account: %w", err)
	}
	return holderOf(b, acct, found), nil
}
