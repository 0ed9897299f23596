package dovecot

import (
	"container/list"
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"
)

// A request is one exchange as a connection knows it.
type request struct {
	conn    *conn
	id      uint32
	answers chan answer // what has come and was not looked at

	// Under the connection's mu.
	idle  *list.Element // of conn.idle; nil: the client is not waited for
	since time.Time     // when that began
	over  error         // it was given up
}

// ask writes a line, and waits for the answer.
func (r *request) ask(ctx context.Context, line []byte) (answer, error) {
	if len(line) > maxSent {
		r.cancel()
		return answer{}, failure("a response that is too long")
	}
	if err := r.conn.write(ctx, line); err != nil {
		r.drop()
		return answer{}, fmt.Errorf("ask Dovecot: %w", err)
	}
	select {
	case a := <-r.answers:
		return a, nil
	case <-r.conn.broken:
		return r.lastWord()
	case <-ctx.Done():
		r.cancel()
		return answer{}, fmt.Errorf("no answer from Dovecot: %w", ctx.Err())
	}
}

// lastWord is the answer that came just before the connection broke.
func (r *request) lastWord() (answer, error) {
	select {
	case a := <-r.answers:
		return a, nil
	default:
		return answer{}, fmt.Errorf("the connection to Dovecot is lost: %w", r.conn.reason())
	}
}

// respond passes a response on, unless it is over by now.
func (r *request) respond(ctx context.Context, response []byte) (answer, error) {
	if err := r.resume(); err != nil {
		r.cancel()
		return answer{}, err
	}
	select {
	case a := <-r.answers: // a failure
		return a, nil
	default:
		return r.ask(ctx, continuation(r.id, response))
	}
}

// resume ends the wait for the client.
func (r *request) resume() error {
	c := r.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.idle == nil {
		return r.over
	}
	c.idle.Remove(r.idle)
	r.idle = nil
	if time.Since(r.since) > idling {
		return errIdle
	}
	return nil
}

// cancel gives it up, and tells the server, which says no more of it.
func (r *request) cancel() {
	if !r.drop() || r.conn.minor < 2 || r.conn.isBroken() {
		return
	}
	r.conn.write(context.Background(), fmt.Appendf(nil, "CANCEL\t%d\n", r.id)) // what becomes of it, the connection knows
}

// drop has no answer be taken any more, and says whether one would have been.
func (r *request) drop() bool {
	c := r.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	_, open := c.open[r.id]
	c.forget(r)
	return open
}

// continuation is the line for a response.
func continuation(id uint32, response []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(fmt.Appendf(nil, "CONT\t%d\t", id), response), '\n')
}

// parseID reads the id of an answer.
func parseID(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("an answer without an id: %.20q", s)
	}
	return uint32(id), nil
}
