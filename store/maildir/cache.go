package maildir

import (
	"container/list"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// A place is where a delivery goes, and with whose rights: a mailbox and one of its folders ("" is INBOX), as the placement
// names them. What one owner could open is never lent to another, should a mailbox change hands.
type place struct {
	mailbox, folder string
	path, home      string
	owned           bool
	uid, gid        int
}

func (s *Store) placeOf(mailbox store.Mailbox, folder string) place {
	p := place{mailbox: mailbox.Name, folder: folder, path: mailbox.Path, home: mailbox.Home}
	if o := mailbox.Owner; !s.rights.Are(o) {
		p.owned, p.uid, p.gid = true, o.UID, o.GID
	}
	return p
}

// A target is the open directory of a place, with all directories above it on the disk.
type target struct {
	place
	*dir
	new *dir
	// path leads to new/, from the store's root if it lies there: by it is seen whether new is still what it was.
	path  string
	away  bool        // it does not lie in the store's root
	info  unix.Stat_t // of new
	named atomic.Bool // unnamed files do not work here

	users int  // these are the cache's
	stale bool // to be closed by its last user
	elem  *list.Element
}

func (t *target) Close() error {
	return errors.Join(t.new.Close(), t.dir.Close())
}

// mailboxDir is the mailbox's own directory, if that is the target's.
func (t *target) mailboxDir() *dir {
	if t.place.folder != "" {
		return nil
	}
	return t.dir
}

// A cache keeps the last used targets open: to open them safely each time costs a third of the deliveries.
type cache struct {
	mu    sync.Mutex
	max   int
	byKey map[place]*target
	order *list.List // most lately used first
}

func newCache(size int) *cache {
	return &cache{max: size, byKey: map[place]*target{}, order: list.New()}
}

// get lends the target of p, if it is kept.
func (c *cache) get(p place) *target {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.byKey[p]
	if t == nil {
		return nil
	}
	c.order.MoveToFront(t.elem)
	t.users++
	return t
}

// put keeps t, lent to the caller; an older one of the same place goes.
func (c *cache) put(t *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.byKey[t.place]; old != nil {
		c.remove(old)
	}
	t.users = 1
	t.elem = c.order.PushFront(t)
	c.byKey[t.place] = t
	for c.order.Len() > c.max {
		c.remove(c.order.Back().Value.(*target))
	}
}

// release gives back what get or put lent.
func (c *cache) release(t *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.users--
	if t.stale && t.users == 0 {
		t.Close()
	}
}

// drop forgets t, which its users may still hold.
func (c *cache) drop(t *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !t.stale {
		c.remove(t)
	}
}

func (c *cache) remove(t *target) {
	t.stale = true
	c.order.Remove(t.elem)
	if c.byKey[t.place] == t {
		delete(c.byKey, t.place)
	}
	if t.users == 0 {
		t.Close()
	}
}

// clear forgets all.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.order.Len() > 0 {
		c.remove(c.order.Back().Value.(*target))
	}
}

// current says whether the path to new/ still leads to the directory that t holds: the mailbox may have been removed,
// moved away or made anew by somebody else, or its owner lost the right to go there. A symlink in the path can at most lead
// to what was opened without one.
func (t *target) current(root *dir) error {
	from := unix.AT_FDCWD
	if root != nil {
		from = root.fd() // a path that is absolute does not begin there
	}
	var now unix.Stat_t
	if err := again(func() error { return unix.Fstatat(from, t.path, &now, 0) }); err != nil {
		return err
	}
	if now.Dev != t.info.Dev || now.Ino != t.info.Ino {
		return fs.ErrNotExist
	}
	return nil
}
