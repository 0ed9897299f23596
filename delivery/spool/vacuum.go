package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// What the file keeps of the room that mail had which is gone: it is soon used again.
const (
	keptPages   = (16 << 20) / pageSize
	vacuumEvery = time.Minute
	vacuumPages = 256 // in one transaction
)

// vacuum gives room back to the disk, bit by bit, until ctx ends.
func (s *Spool) vacuum(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(vacuumEvery):
		}
		if err := s.giveBack(ctx); err != nil {
			s.cfg.Log.Warn("the spool cannot give room back to the disk", "cause", err)
		}
	}
}

// giveBack takes free pages off the end of the file, as long as nobody waits for a commit.
func (s *Spool) giveBack(ctx context.Context) error {
	for free := keptPages + 1; free > keptPages && ctx.Err() == nil && s.writer.Len() == 0; {
		err := s.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) error {
			return conn.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free)
		})
		if err == nil && free > keptPages {
			err = s.writer.change(vacuumPages*pageSize, func(t *tx) error { return t.vacuum(min(vacuumPages, free-keptPages)) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// vacuum takes pages off the end of the file.
func (t *tx) vacuum(pages int) error {
	if err := t.meet("vacuum"); err != nil {
		return err
	}
	rows, err := t.conn.QueryContext(context.Background(), fmt.Sprintf("PRAGMA incremental_vacuum(%d)", pages))
	if err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	for rows.Next() { // a row for each page
	}
	return errors.Join(rows.Err(), rows.Close())
}
