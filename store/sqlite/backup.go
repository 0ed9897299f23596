package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lmtpd/store"
	"lmtpd/store/directory"
)

// Backup copies the database as it is at one moment; several go into a new directory, each under its path below the root of the
// template and each as it is at a moment of its own.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.template.Depth() == 0 {
		return s.backup(ctx, s.template.Root(), path)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	err := s.backupAll(ctx, path)
	if err == nil {
		err = directory.Sync(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(path))
	}
	return nil
}

func (s *Store) backupAll(ctx context.Context, path string) error {
	for from, err := range s.paths(ctx) {
		if err != nil {
			return fmt.Errorf("back up: %w", err)
		}
		rel, err := filepath.Rel(s.template.Root(), from)
		if err != nil {
			return err
		}
		to := filepath.Join(path, rel)
		if err := directory.Make(filepath.Dir(to)); err != nil {
			return fmt.Errorf("back up %s: %w", from, err)
		}
		if err := s.backup(ctx, from, to); err != nil {
			return err
		}
	}
	return nil
}

// backup copies one database to a new file.
func (s *Store) backup(ctx context.Context, from, to string) error {
	db, err := s.pool.lend(ctx, from, mustBeThere)
	if err != nil {
		return err
	}
	defer s.pool.giveBack(db)
	if err := classify(db.db.Backup(ctx, to)); err != nil {
		return fmt.Errorf("back up %s: %w", from, err)
	}
	return nil
}

// vacuumPages is how many pages one transaction gives back.
const vacuumPages = 256

// Vacuum gives back what removed messages took, so many pages in a transaction.
func (s *Store) Vacuum(ctx context.Context) (octets int64, err error) {
	for path, err := range s.paths(ctx) {
		if err != nil {
			return octets, fmt.Errorf("vacuum: %w", err)
		}
		n, err := s.vacuum(ctx, path)
		octets += n
		if err != nil {
			return octets, fmt.Errorf("vacuum %s: %w", path, classify(err))
		}
	}
	return octets, nil
}

func (s *Store) vacuum(ctx context.Context, path string) (octets int64, err error) {
	db, err := s.pool.lend(ctx, path, mustBeThere)
	if errors.Is(err, store.ErrNoMailbox) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer s.pool.giveBack(db)
	for {
		var freed int64
		err := db.writer.change(ctx, func(t *tx) (err error) {
			freed, err = t.giveBack()
			return err
		})
		octets += freed
		if err != nil || freed == 0 {
			return octets, errors.Join(err, db.writer.Checkpoint(ctx))
		}
	}
}

// giveBack takes free pages off the end of the file and says how many octets they have.
func (t *tx) giveBack() (octets int64, err error) {
	if err := t.fault("vacuum"); err != nil {
		return 0, err
	}
	v := view{t.ctx, t.conn}
	var size, before, after int64
	if _, err := v.one("PRAGMA page_size", nil, &size); err != nil {
		return 0, err
	}
	if _, err := v.one("PRAGMA page_count", nil, &before); err != nil {
		return 0, err
	}
	step := func(*sql.Rows) error { return nil } // a row for each page
	if err := v.all(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages), nil, step); err != nil {
		return 0, err
	}
	_, err = v.one("PRAGMA page_count", nil, &after)
	return (before - after) * size, err
}
