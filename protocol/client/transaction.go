package client

import (
	"context"
	"fmt"
	"time"

	"lmtpd/protocol/smtp"
)

// groupSize is how many commands are written before their replies are read. Were it unlimited, both sides could
// wait for the other to read (RFC 2920 §3.1); the replies to this many fit the buffers of any socket.
const groupSize = 100

// A transaction is one message on its way: the commands, then the content. It is where replies find their
// recipients.
type transaction struct {
	c        *Conn
	m        *Message
	results  []Result
	accepted []int // numbers of the recipients whose RCPT was accepted, in order
	refused  bool  // by MAIL: what is said about RCPT and DATA after that means nothing
	proceed  bool  // 354 came
}

// A step is a command of a transaction.
type step struct {
	verb string
	rcpt int // the recipient's number, for RCPT
}

// Send hands over one message and returns what is known about each recipient: results[i] is about
// m.Recipients[i], whether there is an error or not. The error is nil if the server answered all that it was
// asked, whatever the answers. Otherwise the message could not be sent (the errors of this package that say so,
// a path that cannot be written, an error of m.Content) or the connection was lost, as it is when ctx
// ends; but that does not interrupt a read of m.Content.
func (c *Conn) Send(ctx context.Context, m Message) ([]Result, error) {
	t := transaction{c: c, m: &m, results: make([]Result, len(m.Recipients))}
	c.read = false
	if err := c.usable(ctx); err != nil {
		return t.results, err
	}
	if err := m.check(c.ext); err != nil {
		return t.results, err
	}
	m.PRDR = m.PRDR && !c.dialect.each
	defer c.w.bind(ctx)()
	if err := t.run(); err != nil {
		return t.results, because(ctx, c.lose(err))
	}
	return t.results, nil
}

func (t *transaction) run() error {
	if err := t.c.inStep(); err != nil {
		return err
	}
	if err := t.converse(); err != nil || !t.proceed {
		return err
	}
	return t.handOver()
}

// steps returns the commands up to DATA, RSET first if the last transaction was left open.
func (t *transaction) steps() []step {
	steps := make([]step, 0, len(t.m.Recipients)+3)
	if t.c.open {
		steps = append(steps, step{verb: "RSET"})
	}
	steps = append(steps, step{verb: "MAIL"})
	for i := range t.m.Recipients {
		steps = append(steps, step{verb: "RCPT", rcpt: i})
	}
	if t.m.chunked(t.c.ext) {
		return steps
	}
	return append(steps, step{verb: "DATA"})
}

// converse sends the commands, a group at a time where the server offers PIPELINING, else one by one, and stops
// when going on is of no use. DATA is the last of a group, so that content never goes before 354 (RFC 2920 §3.1).
func (t *transaction) converse() error {
	size := 1
	if t.c.ext.Has("PIPELINING") {
		size = groupSize
	}
	for steps := t.steps(); len(steps) > 0; {
		if steps[0].verb == "DATA" && len(t.accepted) == 0 {
			return nil
		}
		n := min(size, len(steps))
		if err := t.exchange(steps[:n]); err != nil || t.refused || t.c.lost != nil {
			return err
		}
		steps = steps[n:]
	}
	if t.m.chunked(t.c.ext) {
		t.proceed = len(t.accepted) > 0
	}
	return nil
}

// exchange writes a group of commands at once and reads the replies.
func (t *transaction) exchange(group []step) error {
	b := t.c.out[:0]
	for _, s := range group {
		start := len(b)
		b = t.appendCommand(b, s)
		if t.c.w.trace != nil {
			t.c.w.note(Client, string(b[start:]))
		}
		b = append(b, '\r', '\n')
	}
	t.c.out = b
	if err := t.c.w.write(b, t.timeout(group[0])); err != nil {
		return fmt.Errorf("send %s: %w", group[0].verb, err)
	}
	for _, s := range group {
		r, err := t.c.w.read(t.timeout(s))
		if err == nil {
			err = t.take(s, r)
		}
		if err != nil {
			return fmt.Errorf("reply to %s: %w", s.verb, err)
		}
		if t.c.lost != nil {
			return nil
		}
	}
	return nil
}

func (t *transaction) appendCommand(b []byte, s step) []byte {
	switch s.verb {
	case "MAIL":
		return t.m.appendMail(b, t.c.ext)
	case "RCPT":
		return t.m.appendRcpt(b, t.m.Recipients[s.rcpt], t.c.ext)
	}
	return append(b, s.verb...)
}

func (t *transaction) timeout(s step) time.Duration {
	switch s.verb {
	case "MAIL":
		return t.c.timeouts.Mail
	case "RCPT":
		return t.c.timeouts.Rcpt
	case "DATA":
		return t.c.timeouts.Data
	}
	return t.c.timeouts.Command
}

// take puts a reply where it belongs. A positive reply that does not fit its command belongs to another one:
// then nothing the server says can be believed any more.
func (t *transaction) take(s step, r smtp.Reply) error {
	if r.Code == 421 {
		t.settle(r)
		t.c.lose(r)
		return nil
	}
	if r.Positive() && (r.Code >= 300) != (s.verb == "DATA") || r.Code >= 300 && r.Code < 400 && r.Code != 354 {
		return fmt.Errorf("%w: unexpected %.100q", ErrOutOfStep, r.String())
	}
	switch s.verb {
	case "RSET":
		return t.takeReset(r)
	case "MAIL":
		t.c.open = r.Positive()
		if t.refused = !r.Positive(); t.refused {
			t.settle(r)
		}
	case "RCPT":
		t.takeRcpt(s.rcpt, r)
	case "DATA":
		if t.proceed = r.Positive(); !t.proceed {
			t.settle(r)
		}
	}
	return nil
}

func (t *transaction) takeReset(r smtp.Reply) error {
	if !r.Positive() {
		return r
	}
	t.c.open = false
	return nil
}

func (t *transaction) takeRcpt(i int, r smtp.Reply) {
	switch {
	case t.refused:
	case r.Positive():
		t.accepted = append(t.accepted, i)
	default:
		t.results[i] = Result{Outcome: Known, Reply: r}
	}
}

// settle gives a refusal of the whole transaction to everyone who has no reply of their own yet.
func (t *transaction) settle(r smtp.Reply) {
	for i := range t.results {
		if t.results[i].Outcome == NotSent {
			t.results[i] = Result{Outcome: Known, Reply: r}
		}
	}
}
