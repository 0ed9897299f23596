package delivery

import (
	"context"
	"fmt"

	"lmtpd/store"
)

// Where there is one reply for all recipients (RFC 5321 §4.2.5), what is refused to one of them is refused to all, and the client
// sends it again, or returns it, for all. So nothing is placed anywhere unless it is to be expected everywhere. What a store does
// after that cannot be undone: who has the message then is remembered (partly), and does not have it twice.

// withheld asks everything that can be known before anything is placed. If there is trouble with any recipient, it gives every
// other one that cause.
func (a *Agent) withheld(ctx context.Context, d *delivery) bool {
	var trouble error
	for i := range d.outcomes {
		for n := range d.outcomes[i].targets {
			t := &d.outcomes[i].targets[n]
			if t.err == nil && !t.had && !t.counts() { // those that count have been asked for their room
				t.err = t.block.Store.Check(ctx, t.mailbox, store.Usage{Messages: 1, Octets: d.octets})
			}
			d.outcomes[i].cause = worse(d.outcomes[i].cause, t.err)
		}
		trouble = worse(trouble, d.outcomes[i].cause)
	}
	if trouble == nil {
		return false
	}
	for i := range d.outcomes {
		o := &d.outcomes[i]
		for n := range o.targets {
			o.targets[n].kept = ""
		}
		if o.cause == nil {
			o.cause = fmt.Errorf("kept from it by another recipient: %w", trouble)
		}
	}
	return true
}
