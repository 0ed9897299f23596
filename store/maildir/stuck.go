package maildir

import (
	"fmt"
	"sync"
)

// maxStuck is how many looks at homes may hang. Each keeps a thread, of which Go lets a process have 10,000.
const maxStuck = 4096

// stuck are the looks at homes that were given up and have not ended.
type stuck struct {
	mu   sync.Mutex
	at   map[string]int // by mailbox
	many int
}

// check says whether another look at a mailbox would only hang, too.
func (s *stuck) check(mailbox string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at[mailbox] > 0 || s.many >= maxStuck {
		return fmt.Errorf("%w: it hangs, as seen before (%d homes do)", errUnreachable, s.many)
	}
	return nil
}

// watch counts a look at a mailbox until done tells that it has ended.
func (s *stuck) watch(mailbox string, done <-chan error) {
	s.count(mailbox, 1)
	go func() {
		<-done
		s.count(mailbox, -1)
	}()
}

func (s *stuck) count(mailbox string, more int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[string]int{}
	}
	s.many += more
	if s.at[mailbox] += more; s.at[mailbox] == 0 {
		delete(s.at, mailbox)
	}
}
