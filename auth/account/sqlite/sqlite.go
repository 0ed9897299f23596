// Package sqlite keeps accounts in an SQLite database, for "sqlite:PATH".
//
// The schema is for everybody to use: lmtpd reads one row at each lookup, so what the sqlite3 shell or another program
// commits counts from then on. README.md shows it, too.
//
//	name            of the account, letters A to Z in lower case: an address, or a local-part in every domain
//	password        its hash, with {SCHEME} or bare; '' is none
//	uid, gid        of the mailbox's files; NULL is not said
//	home, mail      where it is at home and where its mail is; '' is not said
//	quota_octets    what the mailbox may hold; 0 is what the block says, -1 no limit
//	quota_messages
//	nologin         1: nobody logs in
//	nodelivery      1: no mail is taken
//
// The database has a rollback journal, so who looks accounts up needs no right but to read the file: it may belong to
// root and lie in a directory of root's. Password hashes are then safe from a daemon that went astray.
//
// What it does not do: it takes no other schema and no query of the operator's, and its names are not compared with
// those of other scripts in lower case (package account's folding).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"lmtpd/auth/account"
)

// A Source looks accounts up in a database.
//
// A lookup is for the name first and then, if that is an address, for its local-part: an account without a domain is
// at home in every domain. A row that is no account, for it was written around the schema, is an error and not
// ErrNotFound. So is everything that keeps it from telling, such as a lock that outlasts the context.
//
// A database should be changed and not replaced. If its file has another one in its place nevertheless, that one is
// opened: who is missing in a file that nobody can change any more may be missing by accident.
type Source struct {
	path    string
	open    func(ctx context.Context, path string) (*database, error)
	opening chan struct{} // has an element while somebody opens the database anew
	mu      sync.Mutex    // held for moments, never while a file is touched
	now     *database
}

// Open opens a database to look accounts up. That there is none is an error that wraps fs.ErrNotExist.
func Open(ctx context.Context, path string) (*Source, error) {
	db, err := openDatabase(ctx, path)
	if err != nil {
		return nil, err
	}
	return &Source{path: path, open: openDatabase, opening: make(chan struct{}, 1), now: db}, nil
}

// Close closes the database. No lookup may come after it.
func (s *Source) Close() error { return s.now.Close() }

// Lookup returns the account of a name.
func (s *Source) Lookup(ctx context.Context, name string) (account.Account, error) {
	name = account.Fold(name)
	a, err := s.find(ctx, name)
	for tries := 0; errors.Is(err, errReplaced) && tries < maxReopen; tries++ {
		if err = s.reopen(ctx); err == nil {
			a, err = s.find(ctx, name)
		}
	}
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return account.Account{}, fmt.Errorf("look up an account in %s: %w", s.path, err)
	}
	return a, err
}

// maxReopen is how often the file may be replaced during a lookup.
const maxReopen = 10

// errReplaced says that the file is not the one that was opened.
var errReplaced = errors.New("the file has been replaced")

// find returns the account of a name, or else that of its local-part, which is always the shorter one.
func (s *Source) find(ctx context.Context, name string) (a account.Account, err error) {
	local, isAddress := account.LocalPart(name)
	if !isAddress {
		local = name
	}
	db := s.borrow()
	defer func() {
		if failed := s.giveBack(db); failed != nil {
			err = errors.Join(err, failed)
		}
	}()
	if !db.isAt(s.path) {
		return a, errReplaced
	}
	err = db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		a, err = scan(conn.QueryRowContext(ctx, selectEither, name, local))
		return err
	})
	return a, err
}

// borrow returns the database, which stays open until it is given back.
func (s *Source) borrow() *database {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.borrowed++
	return s.now
}

// giveBack is the inverse of borrow. The last one closes a database that is another's predecessor.
func (s *Source) giveBack(db *database) error {
	s.mu.Lock()
	db.borrowed--
	done := db.borrowed == 0 && db != s.now
	s.mu.Unlock()
	if done {
		return db.Close()
	}
	return nil
}

// reopen opens the file that is in the place of the one that was opened. If that cannot be done the old one stays. One at
// a time opens, and the others wait for as long as they may.
func (s *Source) reopen(ctx context.Context) error {
	select {
	case s.opening <- struct{}{}:
		defer func() { <-s.opening }()
	case <-ctx.Done():
		return fmt.Errorf("%w, and is being opened: %w", errReplaced, ctx.Err())
	}
	old := s.borrow()
	if old.isAt(s.path) {
		return s.giveBack(old) // somebody else was faster
	}
	db, err := s.open(ctx, s.path)
	if err == nil {
		s.mu.Lock()
		s.now = db
		s.mu.Unlock()
	}
	return errors.Join(err, s.giveBack(old))
}
