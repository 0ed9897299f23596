package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// Config says where the mailboxes are and what may be used for them. Zero values stand for the defaults.
type Config struct {
	Template store.Template // where a mailbox is
	Hostname string         // in the names of messages; default: the system's
	Now      func() time.Time
	Log      *slog.Logger

	MinFree     int64 // octets to keep free on the disk; default 0
	Handles     int   // folders kept open between deliveries; default 256
	Deliveries  int   // placements written at once; default 256
	PerDelivery int   // placements of one message written at once; default 32
	PerMailbox  int   // deliveries into one mailbox at once, more are store.ErrBusy; default 10
}

// Store is a store.Store of maildirs.
type Store struct {
	template store.Template
	root     *dir
	now      func() time.Time
	log      *slog.Logger
	minFree  int64
	perMsg   int

	fs      files
	names   *names
	blocks  *blocks
	cache   *cache
	slots   chan struct{}
	crowd   *crowd
	counts  counters
	unnamed bool       // whether files without a name can be linked here
	making  sync.Mutex // one change of a subscriptions file at a time
	running sync.WaitGroup
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Sweeper = (*Store)(nil)
)

// Open opens the store, and makes the directory that its mailboxes lie in if it is not there.
func Open(c Config) (*Store, error) {
	if c.Template.String() == "" {
		return nil, errors.New("maildir: no template")
	}
	host, err := hostname(c.Hostname)
	if err != nil {
		return nil, fmt.Errorf("maildir: %w", err)
	}
	s := &Store{
		template: c.Template,
		now:      c.Now,
		log:      c.Log,
		minFree:  c.MinFree,
		perMsg:   positive(c.PerDelivery, 32),
		fs:       realFiles(),
		blocks:   newBlocks(),
		cache:    newCache(positive(c.Handles, 256)),
		slots:    make(chan struct{}, positive(c.Deliveries, 256)),
		counts:   counters{byDir: map[inode]*counter{}},
	}
	s.crowd = newCrowd(positive(c.PerMailbox, 10))
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.names = newNames(s.now, host)
	s.unnamed = canLinkUnnamed()
	if err := makeRoot(c.Template.Root()); err != nil {
		return nil, fmt.Errorf("maildir: %w", err)
	}
	if s.root, err = openRootDir(c.Template.Root()); err != nil {
		return nil, fmt.Errorf("maildir: %w", err)
	}
	return s, nil
}

func hostname(set string) (string, error) {
	if set != "" {
		return set, nil
	}
	return os.Hostname()
}

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// makeRoot makes path and what is missing above it, and syncs every directory that its name rests on: one that is
// there already may have been made a moment ago, by whoever died before the sync. Of those that were there, the ones
// that may not be opened are passed over: they are somebody else's, and older than the first mail.
func makeRoot(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return nil
	}
	if err := makeRoot(parent); err != nil {
		return err
	}
	err = os.Mkdir(path, 0o700)
	made := err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) && !isDir(path) {
		return err
	}
	d, err := os.Open(parent)
	if err != nil && !made {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := syncDir(int(d.Fd())); err != nil && made {
		return fmt.Errorf("sync %s: %w", parent, err)
	}
	return nil
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}

// Check says whether a mailbox would take so much more now. One that is not there yet is as good as one that is: the
// first delivery makes it.
func (s *Store) Check(ctx context.Context, mailbox store.Mailbox, more store.Usage) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.checkFree(more.Octets); err != nil {
		return err
	}
	d, giveBack, err := s.lend(mailbox)
	if errors.Is(err, fs.ErrNotExist) {
		return mailbox.Quota.Check(store.Usage{}, more)
	}
	if err != nil {
		return classify(err)
	}
	defer giveBack()
	if !mailbox.Quota.Limited() {
		return nil
	}
	used, err := s.counted(ctx, d, mailbox, more)
	if err != nil {
		return classify(err)
	}
	return mailbox.Quota.Check(used, more)
}

// checkFree says whether size octets fit the disk without touching what is to be kept free.
func (s *Store) checkFree(size int64) error {
	if s.minFree == 0 && size == 0 {
		return nil
	}
	var st unix.Statfs_t
	if err := again(func() error { return unix.Fstatfs(s.root.fd(), &st) }); err != nil {
		return fmt.Errorf("statfs %s: %w", s.root.name(), err)
	}
	if free := int64(st.Bavail) * int64(st.Bsize); free-s.minFree < size {
		return fmt.Errorf("%w: %d octets free in %s", store.ErrFull, free, s.root.name())
	}
	return nil
}

// mailbox opens the directory of a mailbox; it makes nothing.
func (s *Store) mailbox(mailbox store.Mailbox) (*dir, error) {
	rel, err := s.template.Rel(mailbox.Name)
	if err != nil {
		return nil, err
	}
	return s.walk(rel)
}

// walk opens a directory below the root.
func (s *Store) walk(rel string) (*dir, error) {
	d := s.root
	for name := range strings.SplitSeq(rel, "/") {
		sub, err := d.sub(name)
		if d != s.root {
			d.Close()
		}
		if err != nil {
			return nil, err
		}
		d = sub
	}
	return d, nil
}

// classify marks the errors that mean a full disk; the others stay what they are.
func classify(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}

// Close waits for the deliveries under way.
func (s *Store) Close() error {
	s.running.Wait()
	s.cache.clear()
	return s.root.Close()
}
