package maildir

import (
	"bytes"
	"errors"
	"io"
)

// A wireReader reads a message with CRLF line ends: an LF that has no CR before it gets one.
type wireReader struct {
	f     io.ReadCloser
	block [32 << 10]byte
	rest  []byte // of block, not yet given out
	prev  byte   // last octet given out
	err   error
}

func newWireReader(f io.ReadCloser) *wireReader { return &wireReader{f: f} }

func (r *wireReader) Close() error { return r.f.Close() }

// Read gives out whole stretches up to an LF; a CR is put in between two of them.
func (r *wireReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.rest) == 0 && !r.more() {
			break
		}
		if r.rest[0] == '\n' && r.prev != '\r' {
			r.prev = '\r'
			p[n] = '\r'
			n++
			continue
		}
		// An LF at the front has its CR by now; the stretch ends before the next one.
		end := bytes.IndexByte(r.rest[1:], '\n') + 1
		if end == 0 {
			end = len(r.rest)
		}
		m := copy(p[n:], r.rest[:end])
		r.prev = r.rest[m-1]
		r.rest = r.rest[m:]
		n += m
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, r.err
}

func (r *wireReader) more() bool {
	if r.err != nil {
		return false
	}
	n, err := r.f.Read(r.block[:])
	r.rest, r.err = r.block[:n], err
	if n == 0 && err == nil {
		r.err = errors.New("empty read")
	}
	return n > 0
}
