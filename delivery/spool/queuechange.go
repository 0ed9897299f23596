package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Retry has messages attempted now that wait for their time, and their destinations tried. Held ones stay so. It returns how many there
// are; of others, an error that wraps ErrNoMessage.
func (q *Queue) Retry(ctx context.Context, ids ...string) (int, error) {
	return q.change(ctx, "retry", ids, func(c *change) {
		c.exec("DELETE FROM destination WHERE name IN (SELECT destination FROM entry WHERE message = ? AND state = 1)", c.seq)
		c.exec("UPDATE entry SET next = 0 WHERE message = ? AND state = 1", c.seq)
	})
}

// Hold keeps messages from being attempted until they are released; attempts under way end as they do. It returns what Retry does.
func (q *Queue) Hold(ctx context.Context, ids ...string) (int, error) {
	return q.change(ctx, "hold", ids, func(c *change) {
		c.exec("UPDATE message SET mark = 1 WHERE seq = ? AND mark = 0", c.seq)
		c.exec("UPDATE entry SET state = 2 WHERE message = ? AND state = 1", c.seq)
	})
}

// Release has messages attempted now that were held. It returns what Retry does.
func (q *Queue) Release(ctx context.Context, ids ...string) (int, error) {
	return q.change(ctx, "release", ids, func(c *change) {
		c.exec("UPDATE message SET mark = 0 WHERE seq = ? AND mark = 1", c.seq)
		c.exec("UPDATE entry SET state = 1, next = 0 WHERE message = ? AND state = 2", c.seq)
	})
}

// Remove deletes messages, and nobody is told. What is being attempted leaves when that attempt has ended, however it does. It returns
// what Retry does.
func (q *Queue) Remove(ctx context.Context, ids ...string) (int, error) {
	return q.change(ctx, "remove", ids, func(c *change) {
		c.exec("UPDATE message SET mark = 2 WHERE seq = ? AND EXISTS (SELECT 1 FROM entry WHERE message = seq AND state = 0)", c.seq)
		c.exec("DELETE FROM entry WHERE message = ? AND state <> 0", c.seq)
	})
}

// Flush has everything attempted now that waits for its time, and destinations tried that were left alone. Held messages stay so.
func (q *Queue) Flush(ctx context.Context) error {
	for after := int64(0); ; { // in parts, so that nobody waits for the whole of it
		last := int64(0)
		err := q.db.Write(ctx, func(ctx context.Context, conn *sql.Conn) error {
			var upTo sql.NullInt64
			if err := conn.QueryRowContext(ctx, "SELECT max(seq) FROM (SELECT seq FROM message WHERE seq > ? ORDER BY seq LIMIT ?)", after, flushedAtOnce).Scan(&upTo); err != nil {
				return err
			}
			last = upTo.Int64
			_, err := conn.ExecContext(ctx, "UPDATE entry SET next = 0 WHERE message > ? AND message <= ? AND state = 1 AND next > 0", after, last)
			if err == nil && !upTo.Valid {
				_, err = conn.ExecContext(ctx, deleteRests)
			}
			return err
		})
		if err != nil || last == 0 {
			return wrap("flush", err)
		}
		after = last
	}
}

// flushedAtOnce is how many messages are made due in one transaction.
const flushedAtOnce = 1000

// A change is one of one message, in a transaction.
type change struct {
	ctx  context.Context
	conn *sql.Conn
	seq  int64
	err  error
}

// exec runs a statement, if all before it have succeeded.
func (c *change) exec(query string, args ...any) {
	if c.err == nil {
		_, c.err = c.conn.ExecContext(c.ctx, query, args...)
	}
}

// change changes messages, each in a transaction.
func (q *Queue) change(ctx context.Context, what string, ids []string, do func(*change)) (n int, err error) {
	var missing error
	for _, id := range ids {
		there := false
		err := q.db.Write(ctx, func(ctx context.Context, conn *sql.Conn) error {
			c := change{ctx: ctx, conn: conn}
			c.err = conn.QueryRowContext(ctx, "SELECT seq FROM message WHERE id = ? AND begun IS NULL", id).Scan(&c.seq)
			if errors.Is(c.err, sql.ErrNoRows) {
				return nil
			}
			there = true
			do(&c)
			return c.err
		})
		switch {
		case err != nil:
			return n, wrap(what+" "+id, err)
		case there:
			n++
		default:
			missing = errors.Join(missing, fmt.Errorf("queue: %s: %w: %s", what, ErrNoMessage, id))
		}
	}
	return n, missing
}
