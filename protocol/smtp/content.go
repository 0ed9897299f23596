package smtp

import (
	"bytes"
	"io"
)

// Content returns a reader of the content that follows DATA: up to the final dot, which is CRLF "." CRLF and
// nothing else, dots at the start of lines taken off (RFC 5321 §4.5.2). It ends in io.EOF only there; a stream
// that ends before is io.ErrUnexpectedEOF. Octets are kept as they came, stray CR and LF included. It must be
// read to its end before the next line.
//
// It works in blocks: the octet looked for is the dot, not the line end, because base64 has none and text has
// about one a line.
func (r *Reader) Content() io.Reader {
	r.borrow()
	return &content{r: r, at: lineStart}
}

type content struct {
	r   *Reader
	at  position
	err error
}

// position says what the last octets before the next one were.
type position int

const (
	inLine    position = iota
	afterCR            // CR
	lineStart          // CRLF, or the start of the content
)

// Read fills p from what is read ahead and blocks only when that is nothing.
func (c *content) Read(p []byte) (n int, err error) {
	for n < len(p) && c.err == nil {
		if c.dot() {
			if n > 0 {
				break
			}
			if err := c.r.fill(); err != nil {
				c.err = unexpected(err, 1)
			}
			continue
		}
		if c.err == nil {
			n += c.run(p[n:])
		}
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, c.err
}

// dot takes off a dot at the start of a line and sees the final one. more says that this needs more octets.
func (c *content) dot() (more bool) {
	b := c.r.buf[c.r.r:c.r.w]
	if len(b) == 0 {
		return true
	}
	if c.at != lineStart || b[0] != '.' {
		return false
	}
	switch {
	case len(b) == 1, len(b) == 2 && b[1] == '\r':
		return true
	case b[1] == '\r' && b[2] == '\n':
		c.r.r += 3
		c.err = io.EOF
	default:
		c.r.r++
		c.at = inLine
	}
	return false
}

// run copies to p the octets up to the next dot at the start of a line.
func (c *content) run(p []byte) int {
	b := c.r.buf[c.r.r:c.r.w]
	if len(b) > len(p) {
		b = b[:len(p)]
	}
	b = b[:c.untilDot(b)]
	copy(p, b)
	c.r.r += len(b)
	c.at = after(b, c.at)
	return len(b)
}

// denseDots is the distance of dots below which it pays to look for the end of their line instead: content of
// nothing but dots would else cost 20 times what text costs.
const denseDots = 16

// untilDot returns how many octets of b come before a dot at the start of a line. b[0] is none.
func (c *content) untilDot(b []byte) int {
	for i := 1; i < len(b); {
		n := bytes.IndexByte(b[i:], '.')
		if n < 0 {
			break
		}
		i += n
		if after(b[:i], c.at) == lineStart {
			return i
		}
		if n >= denseDots {
			i++
			continue
		}
		if n = bytes.IndexByte(b[i:], '\n'); n < 0 {
			break
		}
		i += n + 1
	}
	return len(b)
}

// after says where one stands behind b, which is not empty and came at position at.
func after(b []byte, at position) position {
	switch b[len(b)-1] {
	case '\r':
		return afterCR
	case '\n':
		if len(b) > 1 && b[len(b)-2] == '\r' || len(b) == 1 && at == afterCR {
			return lineStart
		}
	}
	return inLine
}

// Chunk returns a reader of the next n octets, as BDAT sends them (RFC 3030 §2). It must be read to its end
// before the next line. A stream that ends before is io.ErrUnexpectedEOF.
func (r *Reader) Chunk(n int64) io.Reader {
	r.borrow()
	return &chunk{r: r, left: n}
}

type chunk struct {
	r    *Reader
	left int64
}

// Read takes what is read ahead first, and then reads into p directly.
func (c *chunk) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	if c.r.Buffered() == 0 && len(p) < largeBuffer {
		if err := c.r.fill(); err != nil {
			return 0, unexpected(err, 1)
		}
	}
	if c.r.Buffered() > 0 {
		n := copy(p, c.r.buf[c.r.r:c.r.w])
		c.r.r += n
		c.left -= int64(n)
		return n, nil
	}
	n, err := c.r.src.Read(p)
	c.left -= int64(n)
	if n > 0 {
		return n, nil
	}
	return 0, unexpected(err, 1)
}

// LineEnds looks for a CR or LF that stands alone, in content that comes in pieces.
type LineEnds struct {
	cr   bool // the last octet was CR
	bare bool
}

// Look looks at the next piece.
func (l *LineEnds) Look(p []byte) {
	if l.bare || len(p) == 0 {
		return
	}
	if l.cr && p[0] != '\n' {
		l.bare = true
		return
	}
	crs, pairs := bytes.Count(p, []byte{'\r'}), 0
	for i := 0; ; i++ {
		n := bytes.IndexByte(p[i:], '\n')
		if n < 0 {
			break
		}
		i += n
		if !(i > 0 && p[i-1] == '\r' || i == 0 && l.cr) {
			l.bare = true
			return
		}
		if i > 0 {
			pairs++
		}
	}
	l.cr = p[len(p)-1] == '\r'
	if l.cr {
		crs--
	}
	l.bare = crs != pairs
}

// Bare says whether one was seen.
func (l *LineEnds) Bare() bool { return l.bare }

// End says that nothing follows: a CR at the very end stands alone.
func (l *LineEnds) End() { l.bare = l.bare || l.cr }
