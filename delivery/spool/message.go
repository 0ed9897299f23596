package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A key names an entry.
type key struct {
	seq    int64 // of its message
	number int
}

// An entry is the recipients of one message that have one destination.
type entry struct {
	key
	destination string
	sender      string // whose turn it is
	attempts    int
	warned      bool

	// These are nil until it has been read.
	message    *Message
	recipients []recipient // those of the message, with what the spool knows besides

	content *kept // in memory since it was put in; nil: it is not
	seen    int64 // what sqldb.Changes said when it came into memory
}

// A recipient is what the spool knows of one, beside what an attempt sees.
type recipient struct {
	number int
	reply  smtp.Reply // that was heard last
	server string
	tried  time.Time
	cause  string
}

// kept is a content that several entries may have in memory.
type kept struct {
	octets octets
	users  atomic.Int32
	spool  *Spool
}

func (k *kept) release() {
	if k != nil && k.users.Add(-1) == 0 {
		k.spool.kept.Add(-k.octets.Size())
	}
}

// errGone says that an entry is not there any more, or not for attempts.
var errGone = errors.New("it is not to be attempted any more")

// read reads what an attempt needs. errGone says that there is nothing.
func (s *Spool) read(e *entry) error {
	ctx := context.Background() // it is over soon, and a context that may end costs more
	err := s.db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		row := conn.QueryRowContext(ctx, selectEntry, e.seq, e.number)
		if err := row.Scan(&e.destination, &e.sender, &e.attempts, &e.warned); err != nil {
			return err
		}
		m := &Message{}
		size, err := scanMessage(conn.QueryRowContext(ctx, selectMessage, e.seq), m)
		if err != nil {
			return err
		}
		if e.message = m; e.content != nil {
			m.Content = e.content.octets
		} else if m.Content, err = openContent(ctx, s.db, conn, e.seq, size); err != nil {
			return err
		}
		e.recipients, m.Recipients = nil, nil
		return eachRecipient(ctx, conn, e.key, func(r recipient, to smtp.Recipient) {
			e.recipients = append(e.recipients, r)
			m.Recipients = append(m.Recipients, to)
		})
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(e.recipients) == 0 {
		return errGone
	}
	return err
}

// scanMessage reads a row of selectMessage.
func scanMessage(row *sql.Row, m *Message) (size int64, err error) {
	var arrived int64
	err = row.Scan(&m.ID, &arrived, &m.Account, &m.From.Local, &m.From.Domain, &m.Body, &m.UTF8, &m.Ret, &m.EnvID, &size)
	m.Arrived = time.UnixMicro(arrived)
	return size, err
}

func eachRecipient(ctx context.Context, conn *sql.Conn, k key, do func(recipient, smtp.Recipient)) error {
	rows, err := conn.QueryContext(ctx, selectRecipients, k.seq, k.number)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r recipient
		var to smtp.Recipient
		var tried int64
		err := rows.Scan(&r.number, &to.To.Local, &to.To.Domain, &to.Notify, &to.Original.Type, &to.Original.Address,
			&r.reply.Code, &r.reply.Status, &r.reply.Text, &r.server, &tried, &r.cause)
		if err != nil {
			return err
		}
		if tried != 0 {
			r.tried = time.UnixMicro(tried)
		}
		do(r, to)
	}
	return rows.Err()
}

// senderOf names whose turn it is when a message is attempted.
func senderOf(m *Message) string {
	if m.Account != "" {
		return m.Account
	}
	return "<" + m.From.String() + ">"
}

// maxInMemory is how large a content may be to be read as a whole for an attempt.
const maxInMemory = 256 << 10

// openContent gives the content of a message: in memory if it is small, else read piece by piece.
func openContent(ctx context.Context, db chunkReader, conn *sql.Conn, message, size int64) (store.Content, error) {
	if size > maxInMemory {
		return &content{db: db, message: message, size: size, at: -1}, nil
	}
	b := make([]byte, 0, size)
	for n := int64(0); int64(len(b)) < size; n++ {
		var some sql.RawBytes
		if err := readChunk(ctx, conn, chunkID(message, n), &some, func() { b = append(b, some...) }); err != nil {
			return nil, fmt.Errorf("read content: %w", err)
		}
	}
	return octets(b), nil
}
