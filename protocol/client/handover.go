package client

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// handOver sends the content and reads the replies after the final dot. A server that wants content though it
// accepted nobody gets an empty one (RFC 2920 §3.1), unless it then owes no reply, which RFC 2033 §4.2 forbids.
func (t *transaction) handOver() error {
	if t.c.dialect.replies(len(t.accepted)) == 0 || t.c.w.pending() {
		return fmt.Errorf("%w: after DATA", ErrOutOfStep)
	}
	send := t.sendContent
	if t.m.chunked(t.c.ext) {
		send = t.sendChunks
	}
	if err := send(); err != nil {
		return fmt.Errorf("send content: %w", err)
	}
	if !t.proceed { // a chunk was refused
		return nil
	}
	if err := t.takeFinals(); err != nil {
		return err
	}
	t.c.open = t.m.chunked(t.c.ext) && !t.taken()
	return nil
}

// taken says whether all who were accepted have the message. Where a chunk is refused, servers differ in what is left of the transaction
// (RFC 3030 §2), and RSET is certain.
func (t *transaction) taken() bool {
	return !slices.ContainsFunc(t.accepted, func(i int) bool { return !t.results[i].Delivered() })
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
		c.read = true
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
