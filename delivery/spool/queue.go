package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store/sqldb"
)

// A Queue is a spool as its operator sees it, beside a running daemon or without one. Its methods may be called from many goroutines at
// once.
type Queue struct{ db *sqldb.DB }

// OpenQueue opens a spool. That there is none is an error that wraps fs.ErrNotExist.
func OpenQueue(ctx context.Context, path string) (*Queue, error) {
	db, err := sqldb.Open(ctx, path, kind())
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	return &Queue{db}, nil
}

// Close closes it.
func (q *Queue) Close() error { return q.db.Close() }

// ErrNoMessage says that there is no such message in the spool, or not any more.
var ErrNoMessage = errors.New("no such message")

// An Item is a message in the spool.
type Item struct {
	ID      string // of the transaction that brought it
	Arrived time.Time
	Account string // who submitted it; "": nobody who had logged in
	Size    int64  // octets of its content, trace fields included
	From    smtp.Path
	Body    smtp.Body
	UTF8    smtp.Encoding
	Ret     smtp.Ret
	EnvID   string
	Held    bool
	Removed bool // it leaves when its last attempt has ended

	Recipients []ItemRecipient // those that are not done, by destination and as in the envelope

	seq int64
}

// An ItemRecipient is one that is not done.
type ItemRecipient struct {
	smtp.Recipient
	Destination string
	State       State
	Next        time.Time // when it is attempted at the earliest; zero: at once
	Attempts    int       // that its destination was there for
	Reply       smtp.Reply
	Server      string    // who gave the reply that was heard last
	Tried       time.Time // when that was; zero: never
	Cause       string    // why it is not done, where the reply does not tell all
}

// Totals are what a spool holds.
type Totals struct {
	Messages, Recipients int64
	Octets               int64 // of all contents
	Held                 int64 // messages
}

// A Resting is a destination that cannot be used.
type Resting struct {
	Destination string
	Failures    int
	Since       time.Time // of the first of them
	Until       time.Time // when it is tried again
	Cause       string    // of the last
}

// Totals counts.
func (q *Queue) Totals(ctx context.Context) (t Totals, err error) {
	err = q.db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, selectTotals).Scan(&t.Messages, &t.Octets, &t.Held, &t.Recipients)
	})
	return t, wrap("count", err)
}

// Resting lists the destinations that cannot be used.
func (q *Queue) Resting(ctx context.Context) (list []Resting, err error) {
	err = q.db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		list = nil
		rows, err := conn.QueryContext(ctx, selectResting)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Resting
			var since, until int64
			if err := rows.Scan(&r.Destination, &r.Failures, &since, &until, &r.Cause); err != nil {
				return err
			}
			r.Since, r.Until = time.UnixMicro(since), time.UnixMicro(until)
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, wrap("list destinations", err)
}

// Show returns a message with its content, which the caller closes. ErrNoMessage says that it is not there.
func (q *Queue) Show(ctx context.Context, id string) (Item, io.ReadCloser, error) {
	list, err := q.page(ctx, "m.id = ?", id)
	if err == nil && len(list) == 0 {
		err = ErrNoMessage
	}
	if err != nil {
		return Item{}, nil, wrap("show "+id, err)
	}
	c := &content{db: q.db, message: list[0].seq, size: list[0].Size, at: -1}
	return list[0], io.NopCloser(io.NewSectionReader(c, 0, c.size)), nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("queue: %s: %w", what, err)
}

const (
	selectTotals = "SELECT count(*), coalesce(sum(octets), 0), count(*) FILTER (WHERE mark = 1), (SELECT count(*) FROM recipient) " +
		"FROM message WHERE begun IS NULL"
	selectResting = "SELECT name, failures, since, until, cause FROM destination ORDER BY name"
)
