package spool

import (
	"context"
	"database/sql"
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store/sqldb"
)

// examine says whether a database can be used: a page of each table is read.
func examine(ctx context.Context, db *sqldb.DB) error {
	return db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		for _, query := range []string{
			"SELECT max(seq) FROM message", "SELECT max(id) FROM chunk", "SELECT max(message) FROM entry", "SELECT max(message) FROM recipient",
			"SELECT min(message) FROM entry INDEXED BY entry_trying WHERE state = 0", "SELECT min(destination) FROM entry INDEXED BY entry_due WHERE state = 1",
			"SELECT min(destination) FROM entry INDEXED BY entry_turn WHERE state = 1", "SELECT min(arrived) FROM entry INDEXED BY entry_age WHERE state = 1",
		} {
			var n any
			if err := conn.QueryRowContext(ctx, query).Scan(&n); err != nil {
				return err
			}
		}
		return nil
	})
}

const (
	recovered  = 200            // entries in one transaction
	sweepAfter = 24 * time.Hour // a content is not written for longer than that
)

// recover puts in order what was cut off. What was being attempted then is the one case that cannot be known: it is attempted again,
// and may come twice.
func (s *Spool) recover() error {
	for {
		var list []*entry
		err := s.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) (err error) {
			list, err = readKeys(ctx, conn, selectTrying, recovered)
			return err
		})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			s.warnOfDoubt(e)
		}
		now := s.cfg.Now()
		err = s.writer.change(0, func(t *tx) error {
			for _, e := range list {
				m, err := t.mark(e.seq)
				if err == nil {
					err = t.putBack(e.key, m, now, 0)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.writer.change(0, func(t *tx) error {
		_, err := t.exec("sweep contents", sweepContents, s.cfg.Now().Add(-sweepAfter).UnixMicro())
		if err == nil {
			_, err = t.exec("forget rests", deleteRests)
		}
		return err
	})
}

func (s *Spool) warnOfDoubt(e *entry) {
	var m Message
	err := s.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) error {
		m.Recipients = nil
		if _, err := scanMessage(conn.QueryRowContext(ctx, selectMessage, e.seq), &m); err != nil {
			return err
		}
		return eachRecipient(ctx, conn, e.key, func(_ recipient, to smtp.Recipient) { m.Recipients = append(m.Recipients, to) })
	})
	if err != nil {
		s.cfg.Log.Warn("an entry was being attempted when lmtpd ended, and cannot be read", "cause", err)
	}
	for _, to := range m.Recipients {
		s.cfg.Log.Warn("was being attempted when lmtpd ended: it is attempted again, and may come twice",
			"id", m.ID, "from", "<"+m.From.String()+">", "to", "<"+to.To.String()+">")
	}
}

// readKeys reads the keys of entries.
func readKeys(ctx context.Context, conn *sql.Conn, query string, args ...any) (list []*entry, err error) {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		e := &entry{}
		if err := rows.Scan(&e.seq, &e.number); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}
