package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"lmtpd/store"
)

// Config says where the databases are and what may be used for them. Zero values stand for the defaults.
type Config struct {
	Template store.Template // the file that a mailbox is in, as store.ParseShared reads it
	Now      func() time.Time
	Log      *slog.Logger

	Space     *store.Space // what to keep free on the disks; default: nothing
	Databases int          // databases kept open at once; default 32
	Memory    int64        // octets of messages on their way into databases; default 16 MiB

	Extract func(message io.Reader) store.Text // what Index keeps of a content; nil: there is no Index
}

// Store is a store.Store of SQLite databases.
type Store struct {
	template store.Template
	now      func() time.Time
	log      *slog.Logger
	space    *store.Space
	buffers  *buffers
	pool     *pool
	extract  func(message io.Reader) store.Text
	idle     idleness
	fault    func(step string) error // for tests: before each step of a transaction
	running  sync.WaitGroup
}

var (
	_ store.Store      = (*Store)(nil)
	_ store.Sweeper    = (*Store)(nil)
	_ store.Locator    = (*Store)(nil)
	_ store.Identifier = (*Store)(nil)
	_ store.Subscriber = (*Store)(nil)
	_ store.Checker    = (*Store)(nil)
	_ store.Vacuumer   = (*Store)(nil)
	_ store.Backuper   = (*Store)(nil)
	_ store.Searcher   = (*Store)(nil)
)

// Open opens the store. Where all mailboxes are in one database, it is opened, and made if it is not there; others are when
// they are needed, and made for their first message.
func Open(c Config) (*Store, error) {
	if c.Template.String() == "" {
		return nil, errors.New("sqlite: no template")
	}
	s := &Store{
		template: c.Template,
		now:      c.Now,
		log:      c.Log,
		space:    c.Space,
		extract:  c.Extract,
		buffers:  newBuffers(cmp.Or(max(c.Memory, 0), 16<<20)),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.space == nil {
		s.space = store.NewSpace(store.Floor{}, s.now)
	}
	if c.Databases <= 0 {
		c.Databases = 32
	}
	s.pool = newPool(s, c.Databases)
	if c.Template.Depth() > 0 {
		return s, nil
	}
	db, err := s.pool.lend(context.Background(), c.Template.Root(), mayMake)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	s.pool.giveBack(db)
	return s, nil
}

// Close waits for what is under way and closes the databases.
func (s *Store) Close() error {
	s.running.Wait()
	return s.pool.close()
}

// find gives the name that a mailbox has in its database, and where that is.
func (s *Store) find(mailbox store.Mailbox) (name, path string, err error) {
	if name, err = store.Canonical(mailbox.Name); err != nil {
		return "", "", err
	}
	at, err := s.template.Locate(store.Mailbox{Name: mailbox.Name})
	return name, at.Path(), err
}

// on does something with the database that a mailbox is in, if there is such.
func (s *Store) on(ctx context.Context, mailbox store.Mailbox, do func(db *database, name string) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name, path, err := s.find(mailbox)
	if err != nil {
		return err
	}
	db, err := s.pool.lend(ctx, path, mustBeThere)
	if err != nil {
		return err
	}
	defer s.pool.giveBack(db)
	return classify(do(db, name))
}

// Where returns the database that a mailbox is in.
func (s *Store) Where(mailbox store.Mailbox) (string, error) {
	_, path, err := s.find(mailbox)
	return path, err
}

// Identity is the database and the name that a mailbox has there.
func (s *Store) Identity(mailbox store.Mailbox) (string, error) {
	name, path, err := s.find(mailbox)
	return path + "/" + name, err
}
