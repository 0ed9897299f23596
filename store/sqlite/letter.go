package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/zeebo/blake3"

	"lmtpd/store"
)

const hashSize = 32 // octets of either hash

// A letter is a content made ready: read, hashed, its header looked at.
type letter struct {
	hash  [hashSize]byte
	size  int64
	facts facts
	envelope
	body  *buffer // nil if it is too large to be kept in memory
	users atomic.Int32
}

// release says that one of its users needs it no more.
func (l *letter) release() {
	if l.users.Add(-1) == 0 && l.body != nil {
		l.body.release()
	}
}

// errHuge says that a content has more octets than chunks can be numbered.
var errHuge = errors.New("content too large for a database")

// read makes a content ready.
func (s *Store) read(ctx context.Context, c store.Content) (*letter, error) {
	l := &letter{size: c.Size()}
	if l.size > maxContent {
		return nil, errHuge
	}
	b, err := s.buffers.get(ctx, min(l.size, maxWhole))
	if err != nil {
		return nil, err
	}
	if err := readFull(c, b.b, 0); err != nil {
		b.release()
		return nil, err
	}
	l.facts, l.envelope = readFacts(b.b), readEnvelope(b.b)
	if l.size <= maxWhole {
		l.body, l.hash = b, blake3.Sum256(b.b)
		return l, nil
	}
	defer b.release()
	h := blake3.New()
	for from := int64(0); from < l.size; from += maxWhole {
		some := b.b[:min(maxWhole, l.size-from)]
		if err := readFull(c, some, from); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h.Write(some)
	}
	h.Sum(l.hash[:0])
	return l, nil
}

// readFull fills b with the octets from an offset on.
func readFull(c store.Content, b []byte, from int64) error {
	n, err := c.ReadAt(b, from)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read content: %w", err)
}
