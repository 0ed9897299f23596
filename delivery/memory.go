package delivery

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

const (
	blockSize = 16 << 10 // most messages are one block or two
	maxBlocks = 128      // of one message: 2 MiB; beyond that a file is no slower
	spare     = 128      // free blocks kept for the next message
)

// temporary is the pattern of the names of files that lose them at once.
const temporary = "content-*"

// errGone says that the content broke off: there is no message, and nobody to tell.
var errGone = errors.New("content broke off")

// memory receives content into blocks of memory, as long as all messages together do not need too much, and
// otherwise into files without a name. What a client sends can thus fill the disk, where it is refused, but
// not the memory.
type memory struct {
	limit int64
	used  atomic.Int64
	dir   string
	free  chan *[blockSize]byte // not a sync.Pool, which each garbage collection empties
}

func newMemory(limit int64, dir string) *memory {
	return &memory{limit: limit, dir: dir, free: make(chan *[blockSize]byte, spare)}
}

// take returns a block, or nil if there should be a file.
func (m *memory) take() *[blockSize]byte {
	if m.used.Add(blockSize) > m.limit {
		m.used.Add(-blockSize)
		return nil
	}
	return m.lend()
}

func (m *memory) give(b *[blockSize]byte) {
	m.used.Add(-blockSize)
	m.back(b)
}

// lend returns a block that does not count: one that is needed for a moment.
func (m *memory) lend() *[blockSize]byte {
	select {
	case b := <-m.free:
		return b
	default:
		return new([blockSize]byte)
	}
}

func (m *memory) back(b *[blockSize]byte) {
	select {
	case m.free <- b:
	default:
	}
}

// received is content that has been received. It is not changed after that.
type received struct {
	from   *memory
	blocks []*[blockSize]byte
	size   int64
	file   *os.File // in place of the blocks
}

// receive reads r to its end. A reply that r ends with (too big, say) is returned as it is; errors of reading
// are errGone; others are of the temporary file. The content is to be released even after an error.
func (m *memory) receive(r io.Reader) (*received, error) {
	c := &received{from: m}
	for {
		if len(c.blocks) == maxBlocks {
			return c, c.spill(r)
		}
		b := m.take()
		if b == nil {
			return c, c.spill(r)
		}
		c.blocks = append(c.blocks, b)
		n, err := fill(b, r)
		c.size += int64(n)
		switch {
		case err == io.EOF:
			return c, nil
		case err != nil:
			return c, broken(err)
		}
	}
}

// fill is io.ReadFull that leaves io.EOF as it is: io.ErrUnexpectedEOF is what r says when the client is gone.
func fill(b *[blockSize]byte, r io.Reader) (n int, err error) {
	for n < len(b) && err == nil {
		var k int
		k, err = r.Read(b[n:])
		n += k
	}
	return n, err
}

// broken tells a refusal from a client that is gone.
func broken(err error) error {
	if r, is := errors.AsType[smtp.Reply](err); is {
		return r
	}
	return fmt.Errorf("%w: %w", errGone, err)
}

// spill moves the content to a file that has no name, and reads the rest into it.
func (c *received) spill(r io.Reader) error {
	if err := c.toFile(); err != nil {
		return instead(r, err)
	}
	w := &fileWriter{f: c.file}
	n, err := io.Copy(w, r)
	c.size += n
	switch {
	case w.err != nil:
		return instead(r, w.err)
	case err != nil:
		return broken(err)
	}
	return nil
}

// toFile moves what there is of the content.
func (c *received) toFile() (err error) {
	if c.file, err = os.CreateTemp(c.from.dir, temporary); err != nil {
		return err
	}
	if err := os.Remove(c.file.Name()); err != nil {
		return err
	}
	left := c.size
	for _, b := range c.blocks {
		if _, err := c.file.Write(b[:min(left, blockSize)]); err != nil {
			return err
		}
		left -= blockSize
	}
	c.giveBlocks()
	return nil
}

// instead reads on after the temporary file has failed, for the content may yet be refused for good or break off, and
// that goes before a doubt.
func instead(r io.Reader, failed error) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return broken(err)
	}
	return storage(failed)
}

// A fileWriter remembers that it was the file, and not the client, that failed.
type fileWriter struct {
	f   *os.File
	err error
}

func (w *fileWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.err = err
	return n, err
}

// storage is an error of the temporary file.
func storage(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("receive content: %w: %w", store.ErrFull, err)
	}
	return fmt.Errorf("receive content: %w", err)
}

// Size returns the length in octets.
func (c *received) Size() int64 { return c.size }

// ReadAt reads from any place; many may do so at once.
func (c *received) ReadAt(p []byte, off int64) (n int, err error) {
	if c.file != nil {
		return c.file.ReadAt(p, off)
	}
	if off < 0 {
		return 0, errors.New("read before the start of content")
	}
	for n < len(p) && off < c.size {
		b := c.blocks[off/blockSize][off%blockSize:]
		k := copy(p[n:], b[:min(int64(len(b)), c.size-off)])
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// release gives everything back. Nobody may read after it.
func (c *received) release() {
	c.giveBlocks()
	if c.file != nil {
		c.file.Close() // it has no name: its space is free now
	}
}

// leave gives back the right to memory, but no block of it and no file: somebody may go on reading. The rest is for the
// garbage collector.
func (c *received) leave() {
	m, octets := c.from, blockSize*int64(len(c.blocks))
	runtime.AddCleanup(c, func(octets int64) { m.used.Add(-octets) }, octets)
}

func (c *received) giveBlocks() {
	for _, b := range c.blocks {
		c.from.give(b)
	}
	c.blocks = nil
}
