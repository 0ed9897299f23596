package smtp

import (
	"bytes"
	"errors"
	"io"
)

// Errors of ReadLine after which the reader stands at the start of the next line.
var (
	ErrLineTooLong = errors.New("line too long")
	ErrBareLineEnd = errors.New("CR or LF alone in a line")
)

// A Reader takes apart what a client or server sends: lines, content up to its final dot, chunks. It reads
// ahead, but never blocks while it has what was asked for. It keeps a small buffer for lines, so that an idle
// connection costs little, and borrows a large one for content. Not for use by several goroutines at once.
type Reader struct {
	src   io.Reader
	buf   []byte
	r, w  int // buf[r:w] is read ahead
	small []byte
	large *[largeBuffer]byte // borrowed; nil while buf is small
}

const (
	smallBuffer = 4 << 10  // also the longest line that costs nothing extra: MaxCommand
	largeBuffer = 32 << 10 // one read per 10 KB message is what counts; 64 KiB was no faster and took 4 MB more at 100 sessions
)

// largeBuffers are free for the next content. Not a sync.Pool: that forgets its buffers at each garbage collection, and
// to make them anew calls for the next one; ten times as many collections cost an eighth of all deliveries.
var largeBuffers = make(chan *[largeBuffer]byte, 64)

// NewReader returns a Reader on src. Each of its reads from src may block, and none is made while octets are
// read ahead that suffice: src can write out what is pending when it is called.
func NewReader(src io.Reader) *Reader {
	small := make([]byte, smallBuffer)
	return &Reader{src: src, buf: small, small: small}
}

// Buffered says how many octets are read ahead.
func (r *Reader) Buffered() int { return r.w - r.r }

// Release gives back the borrowed buffer if what is read ahead fits into the small one.
func (r *Reader) Release() {
	if r.large == nil || r.Buffered() > len(r.small) {
		return
	}
	n := copy(r.small, r.buf[r.r:r.w])
	r.buf, r.r, r.w = r.small, 0, n
	select {
	case largeBuffers <- r.large:
	default:
	}
	r.large = nil
}

// borrow makes room for content.
func (r *Reader) borrow() {
	if r.large != nil {
		return
	}
	select {
	case r.large = <-largeBuffers:
	default:
		r.large = new([largeBuffer]byte)
	}
	n := copy(r.large[:], r.buf[r.r:r.w])
	r.buf, r.r, r.w = r.large[:], 0, n
}

// fill reads once from src behind what is read ahead. The caller sees to it that there is room.
func (r *Reader) fill() error {
	if r.r > 0 {
		n := copy(r.buf, r.buf[r.r:r.w])
		r.r, r.w = 0, n
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// ReadLine returns the next line without its CRLF; it is valid until the next call. A line ends in CRLF and
// nothing else (RFC 5321 §2.3.8): one with a CR or LF alone is skipped to its CRLF and is ErrBareLineEnd, one
// of more than limit octets with its CRLF likewise ErrLineTooLong. The end of the stream is io.EOF between two
// lines and io.ErrUnexpectedEOF inside one.
func (r *Reader) ReadLine(limit int) ([]byte, error) {
	if limit > smallBuffer {
		r.borrow()
	} else {
		r.Release()
	}
	seen := 0 // octets of buf[r.r:] that hold no line end
	for {
		if n := lineEnd(r.buf[r.r:r.w], seen); n > 0 {
			line := r.buf[r.r : r.r+n-2]
			r.r += n
			return line, checkLine(line, n, limit)
		}
		seen = r.Buffered()
		if seen >= limit {
			return nil, r.skipLine()
		}
		if err := r.fill(); err != nil {
			return nil, unexpected(err, seen)
		}
	}
}

// lineEnd returns the length of the first line with its CRLF, 0 if there is none yet. The first seen octets
// hold none.
func lineEnd(b []byte, seen int) int {
	for i := max(seen-1, 0); ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n + 1
		if i >= 2 && b[i-2] == '\r' {
			return i
		}
	}
}

func checkLine(line []byte, n, limit int) error {
	if n > limit {
		return ErrLineTooLong
	}
	if bytes.IndexByte(line, '\n') >= 0 || bytes.IndexByte(line, '\r') >= 0 {
		return ErrBareLineEnd
	}
	return nil
}

// skipLine drops the rest of a line that is too long, in constant memory.
func (r *Reader) skipLine() error {
	for {
		if n := lineEnd(r.buf[r.r:r.w], 0); n > 0 {
			r.r += n
			return ErrLineTooLong
		}
		if r.w > r.r && r.buf[r.w-1] == '\r' {
			r.r = r.w - 1
		} else {
			r.r = r.w
		}
		if err := r.fill(); err != nil {
			return unexpected(err, 1)
		}
	}
}

func unexpected(err error, read int) error {
	if errors.Is(err, io.EOF) && read > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
