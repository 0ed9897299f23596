package maildir

import (
	"fmt"
	"sync"

	"lmtpd/store"
)

// A crowd counts the deliveries into each mailbox, so that one whose disk hangs, or one that everybody writes to, cannot
// take all the slots of the others. A delivery that was given up counts for as long as it hangs.
type crowd struct {
	mu     sync.Mutex
	limit  int
	inside map[string]int
}

func newCrowd(limit int) *crowd { return &crowd{limit: limit, inside: map[string]int{}} }

// enter lets a delivery in; leave is then called after it.
func (c *crowd) enter(mailbox string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inside[mailbox] >= c.limit {
		return fmt.Errorf("%w: %d deliveries at once", store.ErrBusy, c.limit)
	}
	c.inside[mailbox]++
	return nil
}

func (c *crowd) leave(mailbox string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inside[mailbox]--; c.inside[mailbox] == 0 {
		delete(c.inside, mailbox)
	}
}
