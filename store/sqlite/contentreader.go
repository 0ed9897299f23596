package sqlite

import (
	"context"
	"io"
)

// A contentReader reads a content chunk by chunk, so nothing is locked meanwhile.
type contentReader struct {
	ctx  context.Context
	db   *database
	id   int64
	next int64 // number of the next chunk
	some []byte
	err  error // that reading ended with, but for io.EOF
}

// Read reads on.
func (c *contentReader) Read(b []byte) (int, error) {
	if len(c.some) == 0 && len(b) > 0 {
		there := false
		c.err = c.db.look(c.ctx, func(v view) (err error) {
			there, err = v.one(selectBare, []any{chunkID(c.id, c.next)}, &c.some)
			return err
		})
		switch {
		case c.err != nil:
			return 0, c.err
		case !there:
			return 0, io.EOF
		}
		c.next++
	}
	n := copy(b, c.some)
	c.some = c.some[n:]
	return n, nil
}
