package delivery

import (
	"context"

	"lmtpd/auth/account"
)

// certain puts in doubt the targets that would have a mailbox made by a name that may be an alias. Where every name has an
// account, "there is no alias" is all that leads to a mailbox of that name; as long as the aliases are not what their file
// says, a mailbox that is there has its mail, as who has an account has, and none is made that nobody might ever look into.
func certain(ctx context.Context, targets []target) []target {
	for i := range targets {
		t := &targets[i]
		if t.err != nil || t.block.Aliases == nil || t.block.Accounts != (account.Any{}) {
			continue
		}
		doubt := t.block.Aliases.Doubt()
		if doubt == nil {
			continue
		}
		if _, err := t.block.Store.Folders(ctx, t.mailbox); err != nil { // it is not there, or that cannot be told
			t.err = doubt
		}
	}
	return targets
}
