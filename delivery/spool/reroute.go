package spool

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"lmtpd/protocol/smtp"
)

// reroute makes sure that an entry that is trying goes where the configuration says now. What goes elsewhere becomes entries of its own,
// and errGone says that there is nothing to attempt here.
func (s *Spool) reroute(e *entry) error {
	elsewhere := map[string][]int{}
	for i, to := range e.message.Recipients {
		if name := s.cfg.Transport.Destination(e.message.From, to.To); name != e.destination {
			elsewhere[name] = append(elsewhere[name], e.recipients[i].number)
		}
	}
	if len(elsewhere) == 0 {
		return nil
	}
	now := s.cfg.Now()
	s.owe(&debt{
		do: func(t *tx) error { return t.split(e, elsewhere, now) },
		after: func() {
			s.expect(e.destination, now)
			for name := range elsewhere {
				s.expect(name, now)
			}
		},
	})
	return errGone
}

// split makes entries of the recipients that go elsewhere, and has the rest wait.
func (t *tx) split(e *entry, elsewhere map[string][]int, now time.Time) error {
	m, err := t.mark(e.seq)
	if err != nil {
		return err
	}
	if m == remove {
		return t.putBack(e.key, m, now, 0)
	}
	as, left := waiting, len(e.recipients)
	if m == hold {
		as = held
	}
	var last int
	if err := t.conn.QueryRowContext(context.Background(), selectLastEntry, e.seq).Scan(&last); err != nil {
		return err
	}
	for name, numbers := range elsewhere {
		last++
		if _, err := t.exec("split entry", splitEntry, last, name, int(as), now.UnixMicro(), e.seq, e.number); err != nil {
			return err
		}
		for _, n := range numbers {
			if _, err := t.exec("move recipient", moveRecipient, last, e.seq, e.number, n); err != nil {
				return err
			}
		}
		left -= len(numbers)
	}
	if left == 0 {
		m = remove // of the entry alone: there are others of the message
	}
	return t.putBack(e.key, m, now, 0)
}

const (
	waysAtOnce = 500 // recipients that are looked at together
	waysRest   = 25  // times as long nothing is done as that takes
)

// rerouteAll looks, bit by bit, whether what waits goes where the configuration says now. What is attempted before is looked at then.
func (s *Spool) rerouteAll(ctx context.Context) {
	at := way{}
	for ctx.Err() == nil {
		begun := time.Now()
		list, last, err := s.strays(at)
		if err != nil {
			s.cfg.Log.Warn("it cannot be looked whether what waits goes where the configuration says: that is done at its next attempt", "cause", err)
			return
		}
		for _, k := range list {
			if err := s.stray(k); err != nil {
				s.cfg.Log.Warn("an entry cannot be sent another way: that is done at its next attempt", "cause", err)
			}
		}
		if last == at {
			return
		}
		at = last
		select {
		case <-ctx.Done():
		case <-time.After(waysRest * time.Since(begun)):
		}
	}
}

// A way names a recipient in the order of the table.
type way struct {
	key
	recipient int
}

// strays finds entries that go elsewhere now, among some after a recipient, and says which was the last.
func (s *Spool) strays(after way) (list []key, last way, err error) {
	err = s.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) error {
		list, last = nil, after
		rows, err := conn.QueryContext(ctx, selectWays, after.seq, after.number, after.recipient, waysAtOnce)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var from, to smtp.Path
			var name string
			if err := rows.Scan(&last.seq, &last.number, &last.recipient, &from.Local, &from.Domain, &to.Local, &to.Domain, &name); err != nil {
				return err
			}
			if s.cfg.Transport.Destination(from, to) != name && (len(list) == 0 || list[len(list)-1] != last.key) {
				list = append(list, last.key)
			}
		}
		return rows.Err()
	})
	return list, last, err
}

// stray sends one entry another way, if it waits.
func (s *Spool) stray(k key) error {
	e, claimed := &entry{key: k}, false
	err := s.writer.change(0, func(t *tx) (err error) {
		claimed, err = t.changed("claim entry", claimOld, e.seq, e.number)
		return err
	})
	if err != nil || !claimed {
		return err
	}
	if err = s.read(e); err == nil {
		err = s.reroute(e)
	}
	if errors.Is(err, errGone) {
		return nil
	}
	s.giveUp(e) // it goes where it went after all, or cannot be read
	return err
}
