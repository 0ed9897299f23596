package maildir

import (
	"fmt"
	"os"
	"testing"

	"lmtpd/store"
)

// BenchmarkDeliverHome is BenchmarkDeliver to 100 users in their homes, with the rights of each.
func BenchmarkDeliverHome(b *testing.B) {
	needRoot(b)
	for _, sessions := range []int{1, 8, 32, 100} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			dir := benchDir(b)
			makeSearchable(b, dir)
			var mailboxes [100]store.Mailbox
			for i := range mailboxes {
				mailboxes[i] = user(dir, fmt.Sprintf("m%d", i), annID+i)
				must(b, os.Mkdir(mailboxes[i].Home, 0o700), os.Chown(mailboxes[i].Home, annID+i, annID+i))
			}
			load{size: 10 << 10, placements: 1, sessions: sessions}.deliver(b, openHomes(b), mailboxes)
		})
	}
}
