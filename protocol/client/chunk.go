package client

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"lmtpd/protocol/smtp"
)

const (
	// chunkSize is about how much goes with one BDAT.
	chunkSize = 256 << 10
	// chunkHead is more than the command before a chunk has: "BDAT 1234567 LAST" and CRLF.
	chunkHead = 32
)

// sendChunks sends the content in chunks (RFC 3030 §2), each of which is answered before the next, so that none is sent to a server
// that has refused one.
func (t *transaction) sendChunks() error {
	c := t.c
	if c.block == nil {
		c.block = make([]byte, blockSize)
	}
	s := stuffer{ends: t.m.LineEnds, chunked: true}
	for {
		chunk, last, err := t.chunk(&s)
		if err != nil {
			return err
		}
		if last {
			t.doubt()
		}
		if err := c.w.write(chunk, c.timeouts.Block); err != nil || last {
			return err
		}
		r, err := c.w.read(c.timeouts.Final)
		switch {
		case err != nil:
			return err
		case r.Code >= 300 && r.Code < 400:
			return fmt.Errorf("%w: unexpected %.100q", ErrOutOfStep, r.String())
		case !r.Positive():
			t.proceed = false
			t.conclude(t.accepted, r)
			return t.parting(r)
		}
	}
}

// parting ends the connection if a reply says that the server does.
func (t *transaction) parting(r smtp.Reply) error {
	if r.Code == 421 {
		t.c.lose(r)
	}
	return nil
}

// chunk returns the next chunk with its command before it.
func (t *transaction) chunk(s *stuffer) (b []byte, last bool, err error) {
	c := t.c
	b = append(c.out[:0], make([]byte, chunkHead)...)
	for last = t.m.Content == nil; !last && len(b) < chunkSize; {
		c.read = true
		n, err := t.m.Content.Read(c.block)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, err
		}
		last = err != nil
		b = s.append(b, c.block[:n])
	}
	if last && t.m.Body != smtp.BodyBinary {
		b = s.end(b)
	}
	c.out = b
	command := "BDAT " + strconv.Itoa(len(b)-chunkHead)
	if last {
		command += " LAST"
	}
	c.w.note(Client, command)
	command += "\r\n"
	copy(b[chunkHead-len(command):], command)
	return b[chunkHead-len(command):], last, nil
}
