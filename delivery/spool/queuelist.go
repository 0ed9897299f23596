package spool

import (
	"context"
	"database/sql"
	"iter"
	"strings"
	"time"

	"lmtpd/protocol/smtp"
)

// A Filter says which messages are meant. The zero Filter means all.
type Filter struct {
	Sender      string // account or reverse-path, whatever its case; "<>" is the null reverse-path
	Recipient   string // that is not done; whatever its case
	Destination string // of a recipient that is not done
}

// pageMessages is how many messages are read at once.
const pageMessages = 200

// List yields the messages that a filter means, oldest first. What comes and goes meanwhile may be among them or not. After an error
// it ends.
func (q *Queue) List(ctx context.Context, f Filter) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for after := int64(0); ; {
			list, err := q.page(ctx, "m.seq > ?", after)
			if err != nil {
				yield(Item{}, wrap("list", err))
				return
			}
			if len(list) == 0 {
				return
			}
			for i := range list {
				if f.means(&list[i]) && !yield(list[i], nil) {
					return
				}
			}
			after = list[len(list)-1].seq
		}
	}
}

// means says whether a message is among those.
func (f Filter) means(m *Item) bool {
	if f.Sender != "" && !strings.EqualFold(f.Sender, m.Account) && !isPath(f.Sender, m.From) {
		return false
	}
	if f.Recipient == "" && f.Destination == "" {
		return true
	}
	for i := range m.Recipients {
		r := &m.Recipients[i]
		if (f.Recipient == "" || isPath(f.Recipient, r.To)) && (f.Destination == "" || f.Destination == r.Destination) {
			return true
		}
	}
	return false
}

func isPath(s string, p smtp.Path) bool {
	return strings.EqualFold(strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">"), p.String())
}

// page reads some messages, in the order that they came in.
func (q *Queue) page(ctx context.Context, where string, arg any) (list []Item, err error) {
	err = q.db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil { // both queries see one state
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		list = nil
		if err := scanItems(ctx, conn, where, arg, &list); err != nil {
			return err
		}
		for i := range list {
			if err := scanItemRecipients(ctx, conn, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

func scanItems(ctx context.Context, conn *sql.Conn, where string, arg any, list *[]Item) error {
	rows, err := conn.QueryContext(ctx, selectItems+" AND "+where+" ORDER BY m.seq LIMIT ?", arg, pageMessages)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var m Item
		var arrived int64
		var as mark
		err := rows.Scan(&m.seq, &m.ID, &arrived, &m.Account, &m.From.Local, &m.From.Domain, &m.Body, &m.UTF8, &m.Ret, &m.EnvID, &m.Size, &as)
		if err != nil {
			return err
		}
		m.Arrived, m.Held, m.Removed = time.UnixMicro(arrived), as == hold, as == remove
		*list = append(*list, m)
	}
	return rows.Err()
}

func scanItemRecipients(ctx context.Context, conn *sql.Conn, m *Item) error {
	rows, err := conn.QueryContext(ctx, selectItemRecipients, m.seq)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r ItemRecipient
		var next, tried int64
		err := rows.Scan(&r.Destination, &r.State, &next, &r.Attempts, &r.To.Local, &r.To.Domain, &r.Notify, &r.Original.Type, &r.Original.Address,
			&r.Reply.Code, &r.Reply.Status, &r.Reply.Text, &r.Server, &tried, &r.Cause)
		if err != nil {
			return err
		}
		if next != 0 && r.State == Waiting {
			r.Next = time.UnixMicro(next)
		}
		if tried != 0 {
			r.Tried = time.UnixMicro(tried)
		}
		m.Recipients = append(m.Recipients, r)
	}
	return rows.Err()
}

const (
	selectItems = "SELECT m.seq, m.id, m.arrived, m.account, m.local, m.domain, m.body, m.utf8, m.ret, m.envid, m.octets, m.mark " +
		"FROM message AS m WHERE m.begun IS NULL"
	selectItemRecipients = "SELECT e.destination, e.state, e.next, e.attempts, r.local, r.domain, r.notify, r.orcpt_type, r.orcpt, " +
		"r.code, r.status, r.reply, r.server, r.tried, r.cause " +
		"FROM entry AS e JOIN recipient AS r ON r.message = e.message AND r.entry = e.number WHERE e.message = ? ORDER BY r.entry, r.number"
)
