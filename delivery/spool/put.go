package spool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// Mail is what is put into the spool.
type Mail struct {
	Envelope *smtp.Envelope
	Trace    []byte // fields put before the content; CRLF line ends
	Content  store.Content
}

// Put puts a message into the spool. nil: it is there even if the power fails now, and is attempted at once where that can be. An error
// that wraps store.ErrFull says that there is no room. After any error there is nothing of it. ctx ends nothing but the writing of
// a large content; the database is waited for as long as it takes.
func (s *Spool) Put(ctx context.Context, m Mail) error {
	a, err := s.receive(m)
	if err == nil {
		err = s.cfg.Space.Check(ctx, int(s.dir.Fd()), a.content.Size())
	}
	if err == nil {
		err = s.prepare(ctx, a)
	}
	if err == nil {
		err = s.put(a)
	}
	if err != nil {
		s.discard(a)
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// Notify puts the notification into the spool that a report is sent as.
func (s *Spool) Notify(ctx context.Context, r dsn.Report) error {
	m, err := s.cfg.Report(r)
	if err != nil {
		return fmt.Errorf("spool: write a notification: %w", err)
	}
	return s.Put(ctx, m)
}

// An arrival is a message on its way into the spool.
type arrival struct {
	message *Message // without recipients
	entries []*entry
	content store.Content // the whole, trace fields included
	whole   octets        // it is in memory, to be written with the rest; nil: it is written ahead, or read then
	staged  int64         // the seq that a content has that was written ahead; 0: none
}

var (
	errNoRecipient = errors.New("a message without recipients")
	errTooLarge    = errors.New("the content is larger than the spool can keep")
)

// receive sorts the recipients of a message by their destinations.
func (s *Spool) receive(m Mail) (*arrival, error) {
	env := m.Envelope
	a := &arrival{content: m.Content}
	if len(m.Trace) > 0 {
		a.content = traced{m.Trace, m.Content}
	}
	if len(env.Recipients) == 0 {
		return a, errNoRecipient
	}
	if a.content.Size() > maxContent {
		return a, errTooLarge
	}
	a.message = &Message{ID: env.ID, Arrived: s.cfg.Now(), Account: env.Account, From: env.From, Body: env.Body, UTF8: env.UTF8, Ret: env.Ret, EnvID: env.EnvID}
	if a.message.ID == "" {
		a.message.ID = s.cfg.NewID()
	}
	sender := senderOf(a.message)
	for i, to := range env.Recipients {
		name := s.cfg.Transport.Destination(env.From, to.To)
		n := slices.IndexFunc(a.entries, func(e *entry) bool { return e.destination == name })
		if n < 0 {
			n = len(a.entries)
			m := *a.message
			a.entries = append(a.entries, &entry{key: key{number: n}, destination: name, sender: sender, message: &m})
		}
		e := a.entries[n]
		e.recipients = append(e.recipients, recipient{number: i})
		e.message.Recipients = append(e.message.Recipients, to.Clone())
	}
	return a, nil
}

// prepare reads a content that is small, and writes one ahead that is large.
func (s *Spool) prepare(ctx context.Context, a *arrival) (err error) {
	size := a.content.Size()
	if size <= maxWhole {
		a.whole, err = readPart(a.content, 0, size)
		return err
	}
	for from := int64(0); from < size && err == nil; from += maxWhole {
		if err = ctx.Err(); err == nil {
			err = s.stage(a, from)
		}
	}
	return err
}

// stage writes a part of a large content, as one that nobody sees.
func (s *Spool) stage(a *arrival, from int64) error {
	part, err := readPart(a.content, from, min(maxWhole, a.content.Size()-from))
	if err != nil {
		return err
	}
	seq := a.staged
	err = s.writer.change(int64(len(part)), func(t *tx) (err error) {
		if seq = a.staged; seq == 0 {
			if seq, err = t.insertMessage(a.message, a.content.Size(), s.cfg.Now().UnixMicro()); err != nil {
				return err
			}
		}
		return t.insertChunks(seq, from/chunkSize, part)
	})
	if err == nil {
		a.staged = seq
	}
	return err
}

// discard removes what was written ahead for nothing.
func (s *Spool) discard(a *arrival) {
	if a.staged == 0 {
		return
	}
	err := s.writer.change(0, func(t *tx) error {
		_, err := t.exec("discard content", discardContent, a.staged)
		return err
	})
	if err != nil {
		s.cfg.Log.Warn("a content that nobody has stays in the spool until it is swept", "id", a.message.ID, "cause", err)
	}
}

// put commits a message, and hands over what can be attempted at once.
func (s *Spool) put(a *arrival) error {
	now := s.admit(a)
	err := s.writer.change(int64(len(a.whole)), func(t *tx) error { return t.insert(a, now) })
	for i, e := range a.entries {
		if !now[i] {
			if err == nil {
				s.expect(e.destination, a.message.Arrived)
			}
			continue
		}
		if err != nil {
			e.content.release()
			continue
		}
		e.attempts = 0
		s.offer(e)
	}
	return err
}

// insert puts a message into the tables. attempted says which entries are.
func (t *tx) insert(a *arrival, attempted []bool) (err error) {
	seq := a.staged
	if seq == 0 {
		if seq, err = t.insertMessage(a.message, a.content.Size(), nil); err == nil {
			err = t.insertContent(seq, a)
		}
	} else {
		var there bool
		there, err = t.changed("finish content", finishContent, seq)
		if err == nil && !there {
			err = errGone
		}
	}
	for i, e := range a.entries {
		if err != nil {
			return err
		}
		e.seq = seq
		as := waiting
		if attempted[i] {
			as = trying
		}
		err = t.insertEntry(e, as, a.message.Arrived)
	}
	return err
}

func (t *tx) insertMessage(m *Message, size int64, begun any) (seq int64, err error) {
	r, err := t.exec("insert message", insertMessage, m.ID, m.Arrived.UnixMicro(), m.Account, m.From.Local, m.From.Domain,
		string(m.Body), int(m.UTF8), string(m.Ret), m.EnvID, size, begun)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// insertContent writes a content in the transaction of its message.
func (t *tx) insertContent(seq int64, a *arrival) error {
	if a.whole != nil {
		return t.insertChunks(seq, 0, a.whole)
	}
	for from, size := int64(0), a.content.Size(); from < size; from += chunkSize {
		part, err := readPart(a.content, from, min(chunkSize, size-from))
		if err == nil {
			err = t.insertChunks(seq, from/chunkSize, part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertEntry(e *entry, as state, next time.Time) error {
	_, err := t.exec("insert entry", insertEntry, e.seq, e.number, e.destination, e.sender, e.message.Arrived.UnixMicro(), int(as), next.UnixMicro(),
		e.attempts, e.warned)
	for i := 0; i < len(e.recipients) && err == nil; i++ {
		to := &e.message.Recipients[i]
		_, err = t.exec("insert recipient", insertRecipient, e.seq, e.number, e.recipients[i].number, to.To.Local, to.To.Domain,
			int(to.Notify), to.Original.Type, to.Original.Address)
	}
	return err
}

// admit says which entries of a message can be attempted at once, and keeps the content for them if there is memory.
func (s *Spool) admit(a *arrival) []bool {
	now := make([]bool, len(a.entries))
	n := int32(0)
	s.mu.Lock()
	for i, e := range a.entries {
		if now[i] = s.takesMore(e); now[i] {
			n++
		}
	}
	s.mu.Unlock()
	if n == 0 || a.whole == nil {
		return now
	}
	if size := a.whole.Size(); s.kept.Add(size) > s.cfg.Memory {
		s.kept.Add(-size)
		return now
	}
	k := &kept{octets: a.whole, spool: s}
	k.users.Store(n)
	seen := s.changes.Load()
	for i, e := range a.entries {
		if now[i] {
			e.content, e.message.Content, e.seen = k, a.whole, seen
		}
	}
	return now
}
