package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A result is what an attempt, or the end of its time, has come to for an entry.
type result struct {
	*entry
	begun, ended time.Time
	outcomes     []Outcome // one for each recipient
	unusable     error     // the destination cannot be used: no outcome counts
}

// stays says whether a recipient is still to be attempted.
func (o *Outcome) stays() bool { return o.Fate == Deferred || o.Fate == Unknown }

// settle keeps what an attempt has come to, with the notifications that are owed, in one transaction.
func (s *Spool) settle(r result) {
	next, tries := r.begun, 0
	if r.unusable == nil {
		next, tries = r.ended.Add(s.pause(r.attempts+1)), 1
	}
	notices := s.notices(r)
	waits := false
	size := int64(0)
	for _, n := range notices {
		size += n.content.Size()
	}
	s.owe(&debt{
		octets: size,
		do: func(t *tx) (err error) {
			waits, err = t.settle(r, next, tries, notices)
			return err
		},
		after: func() {
			r.content.release()
			if waits {
				s.expect(r.destination, next)
			}
			for _, n := range notices {
				s.expect(n.entries[0].destination, r.ended)
			}
		},
	})
}

// settle does that in a transaction, and says whether the entry waits for another attempt.
func (t *tx) settle(r result, next time.Time, tries int, notices []*arrival) (waits bool, err error) {
	gone, m := r.gone(), unmarked
	if gone < len(r.recipients) {
		if m, err = t.mark(r.seq); err != nil {
			return false, err
		}
	}
	if m != remove {
		for _, n := range notices {
			if err := t.insert(n, make([]bool, len(n.entries))); err != nil {
				return false, err
			}
		}
	}
	if gone == len(r.recipients) || m == remove {
		_, err := t.exec("delete entry", deleteEntry, r.seq, r.number)
		return false, err
	}
	for i := range r.recipients {
		if err := t.keepOutcome(r, i); err != nil {
			return false, err
		}
	}
	return m == unmarked, t.putBack(r.key, m, next, tries)
}

// gone is how many recipients are done.
func (r *result) gone() (n int) {
	for i := range r.outcomes {
		if r.unusable == nil && !r.outcomes[i].stays() {
			n++
		}
	}
	return n
}

// keepOutcome has a recipient leave, or keeps what was heard of it.
func (t *tx) keepOutcome(r result, i int) error {
	to := &r.recipients[i]
	var o Outcome
	switch {
	case r.unusable != nil:
		o = Outcome{Reply: to.reply, Server: to.server, Cause: r.unusable}
	case !r.outcomes[i].stays():
		_, err := t.exec("delete recipient", deleteRecipient, r.seq, r.number, to.number)
		return err
	default:
		o = r.outcomes[i]
	}
	if o.Reply.IsZero() {
		o.Reply, o.Server = to.reply, to.server
	}
	cause := ""
	if o.Cause != nil {
		cause = o.Cause.Error()
	}
	_, err := t.exec("update recipient", updateRecipient, o.Reply.Code, string(o.Reply.Status), o.Reply.Text, o.Server, r.ended.UnixMicro(), cause,
		r.seq, r.number, to.number)
	return err
}

// putBack has an entry wait that was trying, unless its message has a mark.
func (t *tx) putBack(k key, m mark, next time.Time, tries int) error {
	if m == remove {
		_, err := t.exec("delete entry", deleteEntry, k.seq, k.number)
		return err
	}
	as := waiting
	if m == hold {
		as = held
	}
	_, err := t.exec("put entry back", deferEntry, int(as), next.UnixMicro(), tries, k.seq, k.number)
	return err
}

// mark reads that of a message.
func (t *tx) mark(seq int64) (m mark, err error) {
	if err := t.meet("read mark"); err != nil {
		return 0, err
	}
	return readMark(context.Background(), t.conn, seq)
}

// markOf is mark outside of a transaction.
func (s *Spool) markOf(seq int64) (m mark, err error) {
	err = s.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) (err error) {
		m, err = readMark(ctx, conn, seq)
		return err
	})
	return m, err
}

func readMark(ctx context.Context, conn *sql.Conn, seq int64) (m mark, err error) {
	err = conn.QueryRowContext(ctx, selectMark, seq).Scan(&m)
	if errors.Is(err, sql.ErrNoRows) { // somebody has removed it
		return remove, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read mark: %w", err)
	}
	return m, nil
}
