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
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"

	"lmtpd/auth/account"
	"lmtpd/store/sqldb"
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
	path string
	mu   sync.RWMutex // held for reading by lookups
	db   *sqldb.DB
	file unix.Stat_t // of db
}

// Open opens a database to look accounts up. That there is none is an error that wraps fs.ErrNotExist.
func Open(ctx context.Context, path string) (*Source, error) {
	s := &Source{path: path}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// open opens what is at the path.
func (s *Source) open(ctx context.Context) error {
	var file unix.Stat_t
	if err := unix.Stat(s.path, &file); err != nil {
		return fmt.Errorf("find accounts: %w", &fs.PathError{Op: "stat", Path: s.path, Err: err})
	}
	db, err := sqldb.OpenReadOnly(ctx, s.path, kind())
	if err != nil {
		return err
	}
	s.db, s.file = db, file
	return nil
}

// Close closes the database. No lookup may come after it.
func (s *Source) Close() error { return s.db.Close() }

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
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.isCurrent() {
		return a, errReplaced
	}
	err = s.db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		a, err = scan(conn.QueryRowContext(ctx, selectEither, name, local))
		return err
	})
	return a, err
}

func (s *Source) isCurrent() bool {
	var now unix.Stat_t
	return unix.Stat(s.path, &now) == nil && now.Dev == s.file.Dev && now.Ino == s.file.Ino
}

// reopen opens the file that is in the place of the one that was opened. If that cannot be done the old one stays.
func (s *Source) reopen(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isCurrent() {
		return nil // somebody else was faster
	}
	old := s.db
	if err := s.open(ctx); err != nil {
		return err
	}
	return old.Close()
}
