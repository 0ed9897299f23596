package maildir

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
	"lmtpd/store/directory"
	"lmtpd/store/rights"
)

// Config says where the mailboxes are and what may be used for them. Zero values stand for the defaults.
type Config struct {
	Template store.Template // where a mailbox is
	Hostname string         // in the names of messages; default: the system's
	Now      func() time.Time
	Log      *slog.Logger

	Space       *store.Space // what to keep free on the disks; default: nothing
	Handles     int          // folders kept open between deliveries; default 256
	Deliveries  int          // placements written at once; default 256
	PerDelivery int          // placements of one message written at once; default 32
	PerMailbox  int          // deliveries into one mailbox at once, more are store.ErrBusy; default 10
}

// Store is a store.Store of maildirs.
type Store struct {
	template store.Template
	root     *dir // nil where mailboxes lie in homes
	now      func() time.Time
	log      *slog.Logger
	rights   *rights.Rights
	space    *store.Space
	perMsg   int

	fs      files
	names   *names
	blocks  *blocks
	cache   *cache
	slots   chan struct{}
	crowd   *crowd
	counts  counters
	listed  listings
	unnamed bool  // whether files without a name can be linked here
	making  locks // one change of a subscriptions file at a time
	away    away
	stuck   stuck
	running sync.WaitGroup
}

var (
	_ store.Store      = (*Store)(nil)
	_ store.Sweeper    = (*Store)(nil)
	_ store.Locator    = (*Store)(nil)
	_ store.Identifier = (*Store)(nil)
	_ store.Subscriber = (*Store)(nil)
)

// Open opens the store, and makes the directory that its mailboxes lie in if it is not there; homes must be.
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
		space:    c.Space,
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
	if s.space == nil {
		s.space = store.NewSpace(store.Floor{}, s.now)
	}
	s.names = newNames(s.now, host)
	s.unnamed = canLinkUnnamed()
	if s.rights, err = rights.Own(s.log); err == nil && !c.Template.InHome() {
		s.root, err = openRoot(c.Template.Root())
	}
	if err != nil {
		return nil, fmt.Errorf("maildir: %w", err)
	}
	return s, nil
}

func openRoot(path string) (*dir, error) {
	if err := directory.Make(path); err != nil {
		return nil, err
	}
	return openBase(path)
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
	if s.root == nil {
		return nil
	}
	return s.root.Close()
}
