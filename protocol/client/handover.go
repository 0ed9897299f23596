package client

import (
	"errors"
	"fmt"
	"io"
)

// handOver sends the content and reads the replies after the final dot. A server that wants content though it
// accepted nobody gets an empty one (RFC 2920 §3.1), unless it then owes no reply, which RFC 2033 §4.2 forbids.
func (t *transaction) handOver() error {
	n := t.c.dialect.replies(len(t.accepted))
	if n == 0 || t.c.w.pending() {
		return fmt.Errorf("%w: after DATA", ErrOutOfStep)
	}
	if err := t.sendContent(); err != nil {
		return fmt.Errorf("send content: %w", err)
	}
	for i := range n {
		if err := t.takeFinal(i); err != nil {
			return fmt.Errorf("reply %d of %d after the content: %w", i+1, n, err)
		}
	}
	t.c.open = false
	return nil
}

// sendContent sends the content in blocks, each of which must be taken in time. The final dot goes with the last
// one. An error of the content's own leaves only one way to make the server forget it: to hang up without a dot
// (RFC 5321 §4.1.1.10).
func (t *transaction) sendContent() error {
	c := t.c
	if c.block == nil {
		c.block = make([]byte, blockSize)
	}
	s, b, total := stuffer{ends: t.m.LineEnds}, c.out[:0], 0
	for eof := len(t.accepted) == 0 || t.m.Content == nil; !eof; {
		n, err := t.m.Content.Read(c.block)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		eof = err != nil
		if b = s.append(b, c.block[:n]); len(b) >= blockSize && !eof {
			if err := c.w.write(b, c.timeouts.Block); err != nil {
				return err
			}
			total, b = total+len(b), b[:0]
		}
	}
	c.w.note(Client, fmt.Sprintf("[%d octets of content]", total+len(b)))
	c.w.note(Client, ".")
	c.out = s.end(b)
	t.doubt()
	return c.w.write(c.out, c.timeouts.Block)
}

// doubt makes the accepted recipients unknown: from here on the final dot may arrive.
func (t *transaction) doubt() {
	for _, i := range t.accepted {
		t.results[i].Outcome = Unknown
	}
}

// takeFinal reads a reply after the final dot: that of one recipient, or of all of them, as the dialect has it.
func (t *transaction) takeFinal(n int) error {
	r, err := t.c.w.read(t.c.timeouts.Final)
	if err != nil {
		return err
	}
	if r.Code >= 300 && r.Code < 400 {
		return fmt.Errorf("%w: unexpected %.100q", ErrOutOfStep, r.String())
	}
	for _, i := range t.c.dialect.answered(n, t.accepted) {
		t.results[i] = Result{Outcome: Known, Reply: r}
	}
	return nil
}
