package delivery

import (
	"context"

	"lmtpd/auth/account"
	"lmtpd/protocol/smtp"
)

// certainly is resolve for what is to be answered. It puts in doubt the targets that would have a mailbox made by a name that may
// be an alias. Where every name has an account, "there is no alias" is all that leads to a mailbox of that name; if the aliases
// are not what their file says, or were not when they were looked up, a mailbox that is there has its mail, as who has an account
// has, and none is made that nobody might ever look into.
func (a *Agent) certainly(ctx context.Context, q query, to smtp.Path) []target {
	before := a.doubts()
	targets := a.resolve(ctx, q, to)
	for i := range targets {
		t := &targets[i]
		if t.err != nil || t.isRemote() {
			continue
		}
		doubt := t.block.doubt()
		if doubt == nil {
			doubt = before[t.block]
		}
		if doubt == nil {
			continue
		}
		if _, err := t.block.Store.Folders(ctx, t.mailbox); err != nil { // it is not there, or that cannot be told
			t.err = doubt
		}
	}
	return targets
}

// doubts are those of all blocks that have one; mostly there are none.
func (a *Agent) doubts() (all map[*Block]error) {
	for i := range a.cfg.Blocks {
		b := &a.cfg.Blocks[i]
		if err := b.doubt(); err != nil {
			if all == nil {
				all = make(map[*Block]error)
			}
			all[b] = err
		}
	}
	return all
}

// doubt says why a name that is no alias may yet be one, where that is all that keeps it from having a mailbox.
func (b *Block) doubt() error {
	if b.Aliases == nil || b.Accounts != (account.Any{}) {
		return nil
	}
	return b.Aliases.Doubt()
}
