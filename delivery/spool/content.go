package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync"

	"lmtpd/store"
)

const (
	// chunkSize is what one row of octets has. The driver copies what it is given, and larger copies are slower.
	chunkSize = 64 << 10
	// maxWhole is how large a content may be to be written in one transaction with its recipients, and with other messages. What is
	// larger is written ahead in parts of this size, each in a transaction, so that nobody waits for the whole of it.
	maxWhole = 1 << 20
	// maxContent is what the numbers of chunks are enough for.
	maxContent = chunkSize << 16
)

// chunkID is the id of chunk n of a message.
func chunkID(message, n int64) int64 { return message<<16 + n }

// octets is content in memory.
type octets []byte

// Size returns the length in octets.
func (o octets) Size() int64 { return int64(len(o)) }

// ReadAt reads from any place; many may do so at once.
func (o octets) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read before the start of content")
	}
	if off < int64(len(o)) {
		n = copy(p, o[off:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// traced is content with trace fields before it.
type traced struct {
	trace octets
	store.Content
}

// Size returns the length of both.
func (t traced) Size() int64 { return t.trace.Size() + t.Content.Size() }

// ReadAt reads from any place; many may do so at once.
func (t traced) ReadAt(p []byte, off int64) (n int, err error) {
	if off < t.trace.Size() {
		if n, err = t.trace.ReadAt(p, off); err == nil || err != io.EOF {
			return n, err
		}
	}
	more, err := t.Content.ReadAt(p[n:], off+int64(n)-t.trace.Size())
	return n + more, err
}

// A chunkReader reads from a database.
type chunkReader interface {
	Read(ctx context.Context, look func(context.Context, *sql.Conn) error) error
}

// A content is in the database, and is read chunk by chunk: nothing is locked meanwhile.
type content struct {
	db            chunkReader
	message, size int64

	mu   sync.Mutex
	at   int64 // number of the chunk that is in memory; -1: none
	some []byte
}

// Size returns the length in octets.
func (c *content) Size() int64 { return c.size }

// ReadAt reads from any place; many may do so at once, though each waits for the others.
func (c *content) ReadAt(p []byte, off int64) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n < len(p) && off < c.size {
		if err := c.load(off / chunkSize); err != nil {
			return n, fmt.Errorf("read content: %w", err)
		}
		from := off % chunkSize
		if from >= int64(len(c.some)) {
			return n, io.ErrUnexpectedEOF
		}
		k := copy(p[n:], c.some[from:])
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (c *content) load(n int64) error {
	if n == c.at {
		return nil
	}
	c.at = -1
	err := c.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) error {
		var some sql.RawBytes
		return readChunk(ctx, conn, chunkID(c.message, n), &some, func() { c.some = append(c.some[:0], some...) })
	})
	if err == nil {
		c.at = n
	}
	return err
}

// errNoChunk says that a part of a content is missing.
var errNoChunk = errors.New("a part of the content is not there")

// readChunk reads a chunk into some, which is good until use returns.
func readChunk(ctx context.Context, conn *sql.Conn, id int64, some *sql.RawBytes, use func()) error {
	rows, err := conn.QueryContext(ctx, selectChunk, id)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return errors.Join(errNoChunk, rows.Err())
	}
	if err := rows.Scan(some); err != nil {
		return err
	}
	if len(*some) == 0 {
		return errNoChunk
	}
	use()
	return nil
}

// insertChunks writes a part of a content, from chunk number n on.
func (t *tx) insertChunks(message, n int64, part []byte) error {
	for len(part) > 0 {
		size := min(len(part), chunkSize)
		if _, err := t.exec("insert chunk", insertChunk, chunkID(message, n), part[:size]); err != nil {
			return err
		}
		part, n = part[size:], n+1
	}
	return nil
}

// readPart reads some of a content.
func readPart(c store.Content, from, size int64) ([]byte, error) {
	b := make([]byte, size)
	n, err := c.ReadAt(b, from)
	if int64(n) == size {
		return b, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("read content: %w", err)
}
