package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"lmtpd/protocol/smtp"
)

// What a server may send in one reply. RFC 5321 §4.5.3.1.5 has 512 octets for a line; servers that quote long
// addresses need more. Replies to a hello have some twenty lines.
const (
	maxReplyLine  = 4096
	maxReplyLines = 200
)

// Errors of a connection. All of them end it.
var (
	ErrReplyTooLong = errors.New("reply too long")
	ErrHungUp       = errors.New("server closed the connection")
)

// A wire is a connection whose reads and writes have deadlines and obey a context. One goroutine uses it; only
// the context's end comes from another.
type wire struct {
	raw   net.Conn // that deadlines are set on, and that anybody may close
	nc    net.Conn // the same, or TLS over it
	in    *bufio.Reader
	trace func(Direction, string)

	mu  sync.Mutex
	cut bool // the context has ended: the deadline is past and stays so
}

func newWire(nc net.Conn, trace func(Direction, string)) *wire {
	return &wire{raw: nc, nc: nc, in: bufio.NewReaderSize(nc, maxReplyLine), trace: trace}
}

// over goes on over nc, with nothing read ahead.
func (w *wire) over(nc net.Conn) {
	w.nc = nc
	w.in.Reset(nc)
}

// bind lets ctx interrupt what is read and written until release is called. It must not be nested.
func (w *wire) bind(ctx context.Context) (release func()) {
	w.cut = false
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cut = true
		w.raw.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// expire sets the deadline of what is read and written from now on. Its error is passed over: only a closed
// connection has one, and there is no waiting on that; what it sent before is in the buffer and still counts.
func (w *wire) expire(after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.cut {
		w.raw.SetDeadline(time.Now().Add(after))
	}
}

// write sends b, which must be taken within the time given.
func (w *wire) write(b []byte, within time.Duration) error {
	w.expire(within)
	if _, err := w.nc.Write(b); err != nil {
		return w.partingWords(err)
	}
	return nil
}

// partingWords adds to the error of a write what the server said before it hung up, which is the reason as a
// rule (RFC 5321 §3.8). What it sent is here already, so there is nothing to wait for.
func (w *wire) partingWords(cause error) error {
	if errors.Is(cause, os.ErrDeadlineExceeded) {
		return cause
	}
	w.expire(time.Second)
	if r, err := w.reply(); err == nil && !r.Positive() {
		return fmt.Errorf("%w: %w", ErrHungUp, r)
	}
	return cause
}

// read returns the next reply, all of which must come within the time given.
func (w *wire) read(within time.Duration) (smtp.Reply, error) {
	w.expire(within)
	return w.reply()
}

// reply reads the lines of one reply. The code must be the same on all of them (RFC 5321 §4.2.1): a server that
// puts the replies for two recipients into one cannot be believed on either.
func (w *wire) reply() (smtp.Reply, error) {
	var whole smtp.Reply
	for n := 0; n < maxReplyLines; n++ {
		line, err := w.line()
		if err != nil {
			return smtp.Reply{}, err
		}
		w.note(Server, line)
		r, more, err := smtp.ParseReplyLine(line)
		switch {
		case err != nil:
			return smtp.Reply{}, err
		case n == 0:
			whole = r
		case r.Code != whole.Code:
			return smtp.Reply{}, fmt.Errorf("%w: %d and %d in one", smtp.ErrBadReply, whole.Code, r.Code)
		default:
			whole.Text += "\n" + r.Text
		}
		if !more {
			return whole, nil
		}
	}
	return smtp.Reply{}, fmt.Errorf("%w: more than %d lines", ErrReplyTooLong, maxReplyLines)
}

// line reads a line and takes its end off.
//
// QUIRK: a bare LF ends a line too: some servers send it, and RFC 5321 §2.3.8 matters for content, not here.
func (w *wire) line() (string, error) {
	b, err := w.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("%w: a line of more than %d octets", ErrReplyTooLong, maxReplyLine)
	case errors.Is(err, io.EOF):
		return "", ErrHungUp
	case err != nil:
		return "", err
	}
	return string(bytes.TrimSuffix(b[:len(b)-1], []byte("\r"))), nil
}

// note tells the trace, if there is one, of a line.
func (w *wire) note(d Direction, line string) {
	if w.trace != nil {
		w.trace(d, line)
	}
}

// pending says whether the server has sent more than was read.
func (w *wire) pending() bool { return w.in.Buffered() > 0 }
