package client

import (
	"fmt"
	"time"

	"lmtpd/protocol/smtp"
)

// command sends one line and returns the reply to it.
func (c *Conn) command(line string, within time.Duration) (smtp.Reply, error) {
	return c.say(line, line, within)
}

// say is command for a line that is another one for the trace and in errors.
func (c *Conn) say(line, shown string, within time.Duration) (smtp.Reply, error) {
	if err := c.inStep(); err != nil {
		return smtp.Reply{}, err
	}
	c.w.note(Client, shown)
	if err := c.w.write([]byte(line+"\r\n"), within); err != nil {
		return smtp.Reply{}, fmt.Errorf("send %.4s: %w", shown, err)
	}
	r, err := c.w.read(within)
	if err != nil {
		return smtp.Reply{}, fmt.Errorf("wait for the reply to %.4s: %w", shown, err)
	}
	return r, nil
}

// inStep returns an error if the server has said more than it was asked for. Taken for the reply to the next
// command it could make a refusal look like success. 421 may come at any time (RFC 5321 §3.8).
func (c *Conn) inStep() error {
	if !c.w.pending() {
		return nil
	}
	r, err := c.w.read(c.timeouts.Command)
	switch {
	case err != nil:
		return err
	case r.Code == 421:
		return fmt.Errorf("%w: %w", ErrHungUp, r)
	}
	return fmt.Errorf("%w: unexpected %.100q", ErrOutOfStep, r.String())
}
