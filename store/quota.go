package store

import (
	"fmt"
	"strings"
)

// Check says whether a mailbox that holds used may take so much more: nil or ErrOverQuota. A mailbox exactly at its
// limit is not over it, but takes nothing more, not even a message whose size nobody has said.
func (q Quota) Check(used, more Usage) error {
	if q.Octets > 0 && over(used.Octets, more.Octets, q.Octets) {
		return fmt.Errorf("%w: %d octets of %d, and %d more", ErrOverQuota, used.Octets, q.Octets, more.Octets)
	}
	if q.Messages > 0 && over(used.Messages, more.Messages, q.Messages) {
		return fmt.Errorf("%w: %d messages of %d, and %d more", ErrOverQuota, used.Messages, q.Messages, more.Messages)
	}
	return nil
}

func over(used, more, limit int64) bool {
	used = max(used, 0) // a count can go wrong
	return used >= limit || more > limit-used
}

// Ignores says whether the messages of a folder do not count.
func (q Quota) Ignores(folder string) bool {
	for _, f := range q.Ignore {
		if folder == f || strings.HasPrefix(folder, f+"/") {
			return true
		}
	}
	return false
}

// Limited says whether there is a limit at all.
func (q Quota) Limited() bool { return q.Octets > 0 || q.Messages > 0 }
