package maildir

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// An inode is a directory, whatever its name is now.
type inode struct {
	dev, ino uint64
}

func (d *dir) inode() (inode, error) {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd(), &st); err != nil {
		return inode{}, fmt.Errorf("stat %s: %w", d.name(), err)
	}
	return inode{uint64(st.Dev), uint64(st.Ino)}, nil
}

// all of a counter's gate is taken by who counts anew; a message that comes or goes takes one.
const all = 1 << 30

// A counter keeps those apart who change a mailbox and who count it: a message that was put into a mailbox while that was
// counted would be in the sum or not, and nobody could tell. It works within this process; what others do is seen by the
// times of the directories.
type counter struct {
	inode
	gate *semaphore.Weighted

	users int // these are the counters'
	now   map[string]*recounting
}

// A recounting is under way, and several may wait for it. It is for certain terms.
type recounting struct {
	done chan struct{}
	// these are set when it is done
	used store.Usage
	err  error
}

// counters are those in use.
type counters struct {
	mu    sync.Mutex
	byDir map[inode]*counter
}

// lend gives the counter of the mailbox d.
func (cs *counters) lend(d *dir) (*counter, error) {
	at, err := d.inode()
	if err != nil {
		return nil, err
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.get(at), nil
}

func (cs *counters) get(at inode) *counter {
	c := cs.byDir[at]
	if c == nil {
		c = &counter{inode: at, gate: semaphore.NewWeighted(all), now: map[string]*recounting{}}
		cs.byDir[at] = c
	}
	c.users++
	return c
}

func (cs *counters) release(c *counter) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.users--; c.users == 0 {
		delete(cs.byDir, c.inode)
	}
}

// join lends a counter, and gives the recounting under way with these terms, or begins one, which is then the caller's own
// to run.
func (cs *counters) join(at inode, terms string) (c *counter, r *recounting, own bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c = cs.get(at)
	if r = c.now[terms]; r != nil {
		return c, r, false
	}
	r = &recounting{done: make(chan struct{})}
	c.now[terms] = r
	return c, r, true
}

func (cs *counters) finish(c *counter, terms string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	close(c.now[terms].done)
	delete(c.now, terms)
}

// recount counts the mailbox d anew, or waits for somebody who does. Whose context ends leaves it to the next.
func (s *Store) recount(ctx context.Context, d *dir, mailbox store.Mailbox) (used store.Usage, err error) {
	at, err := d.inode()
	if err != nil {
		return used, err
	}
	for abandoned := true; abandoned; {
		used, abandoned, err = s.countOnce(ctx, d, at, mailbox)
	}
	return used, err
}

// countOnce is recount but that who counts may give up.
func (s *Store) countOnce(ctx context.Context, d *dir, at inode, mailbox store.Mailbox) (used store.Usage, abandoned bool, err error) {
	terms := fmt.Sprintf("%s%q", limitsLine(mailbox.Quota), mailbox.Quota.Ignore)
	c, r, own := s.counts.join(at, terms)
	defer s.counts.release(c)
	if own {
		r.err = context.Canceled // a panic is nobody else's trouble
		defer s.counts.finish(c, terms)
		r.used, r.err = s.countAnew(ctx, d, c, mailbox)
		return r.used, false, r.err
	}
	select {
	case <-r.done:
		return r.used, errors.Is(r.err, context.Canceled) || errors.Is(r.err, context.DeadlineExceeded), r.err
	case <-ctx.Done():
		return used, false, context.Cause(ctx)
	}
}
