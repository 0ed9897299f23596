package delivery

import (
	"context"
	"fmt"

	"lmtpd/protocol/smtp"
)

// Owns says whether mail for an address, which may lack a domain, goes to nobody but an account: then the account may send under
// it. That is so for its own address with any detail, and for its aliases.
func (a *Agent) Owns(ctx context.Context, account string, address smtp.Path) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Lookup)
	defer cancel()
	for _, t := range a.certainly(ctx, address, nil) {
		switch {
		case t.err != nil && !replyFor(t.err).Permanent():
			return false, fmt.Errorf("look up <%s>: %w", address, t.err)
		case t.err != nil && t.account == "", t.account != account:
			return false, nil
		}
	}
	return account != "", nil
}
