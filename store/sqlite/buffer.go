package sqlite

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// buffers lends memory for messages on their way, so much in all, and keeps some for the next.
type buffers struct {
	room *semaphore.Weighted
	kept [3]chan []byte // by size
}

// The sizes that buffers come in, and how many of each are kept: two megabytes of the small ones, four of the others.
var bufferSizes = [3]struct{ octets, kept int }{{16 << 10, 128}, {128 << 10, 32}, {maxWhole, 4}}

func newBuffers(octets int64) *buffers {
	b := &buffers{room: semaphore.NewWeighted(max(octets, maxWhole))}
	for i, size := range bufferSizes {
		b.kept[i] = make(chan []byte, size.kept)
	}
	return b
}

// A buffer is lent until it is released.
type buffer struct {
	b     []byte
	class int
	from  *buffers
}

// get waits until there is memory for a buffer of size octets, maxWhole at most.
func (b *buffers) get(ctx context.Context, size int64) (*buffer, error) {
	class := 0
	for int64(bufferSizes[class].octets) < size {
		class++
	}
	if err := b.room.Acquire(ctx, int64(bufferSizes[class].octets)); err != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case octets := <-b.kept[class]:
		return &buffer{octets[:size], class, b}, nil
	default:
		return &buffer{make([]byte, bufferSizes[class].octets)[:size], class, b}, nil
	}
}

func (b *buffer) release() {
	select {
	case b.from.kept[b.class] <- b.b[:cap(b.b)]:
	default:
	}
	b.from.room.Release(int64(cap(b.b)))
	b.b = nil
}
