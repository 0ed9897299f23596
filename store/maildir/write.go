package maildir

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"lmtpd/store"
)

// A message goes to the disk in one write if it fits the small block, else in large ones.
const (
	smallBlock = 16 << 10
	largeBlock = 128 << 10
)

// blocks are kept for the next message: a block for each message under way is all the memory a delivery takes. They
// are not in a sync.Pool, which every garbage collection empties.
type blocks struct {
	small chan *[smallBlock]byte
	large chan *[largeBlock]byte
}

func newBlocks() *blocks {
	return &blocks{small: make(chan *[smallBlock]byte, 128), large: make(chan *[largeBlock]byte, 16)}
}

// get lends a block that takes n octets at once if it is not too large; give is called with it afterwards.
func (b *blocks) get(n int64) (block []byte, give func()) {
	if n <= smallBlock {
		p := lend(b.small)
		return p[:], func() { back(b.small, p) }
	}
	p := lend(b.large)
	return p[:], func() { back(b.large, p) }
}

func lend[T any](free chan *T) *T {
	select {
	case p := <-free:
		return p
	default:
		return new(T)
	}
}

func back[T any](free chan *T, p *T) {
	select {
	case free <- p:
	default:
	}
}

// writeMessage writes the trace fields and the content with LF line ends, and says how large it became.
func (s *Store) writeMessage(fd int, c store.Content, trace []byte) (size sizes, err error) {
	total := int64(len(trace)) + c.Size()
	block, give := s.blocks.get(total)
	defer give()
	var conv converter
	for off, held := int64(0), 0; off < total || held > 0; {
		n, err := fill(block[held:], c, trace, off)
		if err != nil {
			return size, fmt.Errorf("read content at %d: %w", off, err)
		}
		off += int64(n)
		out, rest := conv.convert(block[:held+n], off == total)
		if err := s.fs.writeAll(fd, out); err != nil {
			return size, fmt.Errorf("write: %w", err)
		}
		held = copy(block, rest)
	}
	return conv.sizes, nil
}

// fill reads octets of the trace fields and the content, taken as one, from off into b.
func fill(b []byte, c store.Content, trace []byte, off int64) (n int, err error) {
	t := int64(len(trace))
	if off < t {
		n = copy(b, trace[off:])
		off += int64(n)
	}
	want := min(int64(len(b)-n), t+c.Size()-off)
	if want == 0 {
		return n, nil
	}
	m, err := c.ReadAt(b[n:n+int(want)], off-t)
	if int64(m) == want {
		return n + m, nil // ReaderAt may say io.EOF with the last octets
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n + m, err
}

// A converter makes LF line ends of CRLF ones and keeps the sizes of what it made.
type converter struct {
	sizes sizes
	prev  byte // last octet given out
}

// convert works in place. A CR at the end of b is held back, as rest, until what follows it is known.
//
// A bare CR or LF stays as it is. QUIRK: so does CR CR LF, whole: a reader makes CRLF of an LF that has no CR before it
// (so do Dovecot and Open), and thus reads the octets that were sent.
func (v *converter) convert(b []byte, last bool) (out, rest []byte) {
	w, r := 0, 0
	for {
		i := bytes.IndexByte(b[r:], '\r')
		if i < 0 {
			w += copy(b[w:], b[r:])
			break
		}
		i += r
		if i+1 == len(b) && !last {
			w += copy(b[w:], b[r:i])
			rest = b[i:]
			break
		}
		before := v.prev
		if i > 0 {
			before = b[i-1]
		}
		w += copy(b[w:], b[r:i])
		r = i + 1
		if before == '\r' || r == len(b) || b[r] != '\n' {
			b[w] = '\r'
			w++
		}
	}
	v.count(b[:w])
	return b[:w], rest
}

func (v *converter) count(out []byte) {
	v.sizes.disk += int64(len(out))
	v.sizes.wire += int64(len(out) + bareLFs(out, v.prev))
	if len(out) > 0 {
		v.prev = out[len(out)-1]
	}
}

// bareLFs counts the LFs in b that have no CR before them; prev is the octet before b.
func bareLFs(b []byte, prev byte) (n int) {
	n = bytes.Count(b, []byte{'\n'})
	for off := 0; ; {
		i := bytes.IndexByte(b[off:], '\r')
		if i < 0 {
			break
		}
		off += i + 1
		if off < len(b) && b[off] == '\n' {
			n--
		}
	}
	if prev == '\r' && len(b) > 0 && b[0] == '\n' {
		n--
	}
	return n
}
