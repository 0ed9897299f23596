package spool

import (
	"fmt"
	"slices"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

// notices are the notifications that are owed after an attempt: one for all recipients that have come to the same
// (RFC 3461 §5.2).
func (s *Spool) notices(r result) (list []*arrival) {
	if r.unusable != nil {
		return nil
	}
	byAction := map[dsn.Action][]dsn.Recipient{}
	for i := range r.outcomes {
		if action := owed(r.message, i, &r.outcomes[i]); action != "" {
			o := &r.outcomes[i]
			byAction[action] = append(byAction[action], dsn.Recipient{
				Recipient: r.message.Recipients[i], Action: action, Reply: o.Reply, Server: o.Server, Last: r.ended,
			})
		}
	}
	for _, action := range []dsn.Action{dsn.Failed, dsn.Delivered, dsn.Relayed, dsn.Expanded} {
		if to := byAction[action]; to != nil {
			if a := s.notice(r.message, to); a != nil {
				list = append(list, a)
			}
		}
	}
	return list
}

// owed says what the sender is to be told of a recipient (RFC 3461 §4.1, §5.2); "": nothing. Of what bounces and has the null
// reverse-path the postmaster is told, whatever NOTIFY says.
func owed(m *Message, i int, o *Outcome) dsn.Action {
	notify := m.Recipients[i].Notify
	switch {
	case o.Fate == Bounced && (m.From.IsNull() || notify == 0 || notify&smtp.NotifyFailure != 0):
		return dsn.Failed
	case m.From.IsNull() || notify&smtp.NotifySuccess == 0:
		return ""
	case o.Fate == Delivered:
		return dsn.Delivered
	case o.Fate == Relayed:
		return dsn.Relayed
	case o.Fate == Expanded:
		return dsn.Expanded
	}
	return ""
}

// notice writes a notification of recipients of a message; nil: there is nobody to have one, or it cannot be written.
func (s *Spool) notice(m *Message, to []dsn.Recipient) *arrival {
	r := dsn.Report{
		Hostname: s.cfg.Hostname, ID: m.ID, Arrived: m.Arrived, From: m.From, EnvID: m.EnvID, Ret: m.Ret, UTF8: m.UTF8, Content: m.Content, Recipients: to,
	}
	if m.From.IsNull() {
		if r.From = s.cfg.Postmaster; r.From.IsNull() || s.concerns(to) {
			s.cfg.Log.Warn("a bounce that bounces is dropped", "id", m.ID, "to", "<"+to[0].To.String()+">", "recipients", len(to))
			return nil
		}
	}
	a, err := s.write(r)
	if err != nil {
		r.Content = octets(nil) // it may be that which cannot be read
		var again error
		if a, again = s.write(r); again == nil {
			s.cfg.Log.Error("a notification is without the message that it is about", "id", m.ID, "cause", err)
			err = nil
		}
	}
	if err != nil {
		s.cfg.Log.Error("a notification cannot be written", "id", m.ID, "from", "<"+m.From.String()+">", "action", string(to[0].Action), "cause", err)
		return nil
	}
	s.cfg.Log.Info("notification", "id", m.ID, "notification", a.message.ID, "to", "<"+r.From.String()+">", "action", string(to[0].Action), "recipients", len(to))
	return a
}

// concerns says whether recipients are the postmaster, or were he before an alias sent the message on: what bounces there is told to
// nobody, for he would be told of that in turn.
func (s *Spool) concerns(to []dsn.Recipient) bool {
	postmaster := s.cfg.Postmaster.String()
	return slices.ContainsFunc(to, func(r dsn.Recipient) bool {
		return smtp.EqualFold(r.To.String(), postmaster) || smtp.EqualFold(r.Original.Address, postmaster)
	})
}

// write makes a report a message of the spool.
func (s *Spool) write(r dsn.Report) (a *arrival, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	m, err := s.cfg.Report(r)
	if err != nil {
		return nil, err
	}
	if a, err = s.receive(m); err == nil && a.content.Size() <= maxWhole {
		a.whole, err = readPart(a.content, 0, a.content.Size())
	}
	return a, err
}

// delayNotice is the notification that an entry takes long; nil: none is owed (RFC 3461 §4.1).
func (s *Spool) delayNotice(e *entry, until time.Time) *arrival {
	var to []dsn.Recipient
	for i, r := range e.message.Recipients {
		if e.message.From.IsNull() || r.Notify != 0 && r.Notify&smtp.NotifyDelay == 0 {
			continue
		}
		last := &e.recipients[i]
		to = append(to, dsn.Recipient{Recipient: r, Action: dsn.Delayed, Reply: last.reply, Server: last.server, Last: last.tried, Until: until})
	}
	if to == nil {
		return nil
	}
	return s.notice(e.message, to)
}
