package main

import (
	"errors"
	"io"
	"os"
)

// asideMemory is how much of a message is kept in memory; the rest goes to a file without a name.
const asideMemory = 1 << 20

// An aside is content that can be read again, though it came from where it cannot: a store.Content.
type aside struct {
	head  []byte
	tail  *os.File // nil: there is no more
	size  int64
	eight bool // there are octets beyond ASCII
}

// putAside reads src to its end.
func putAside(src io.Reader) (*aside, error) {
	s := &aside{}
	if _, err := io.Copy(s, src); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Write implements io.Writer.
func (s *aside) Write(p []byte) (n int, err error) {
	s.eight = s.eight || !isASCII(p)
	if s.tail == nil && len(s.head)+len(p) <= asideMemory {
		s.head, n = append(s.head, p...), len(p)
	} else {
		n, err = s.writeTail(p)
	}
	s.size += int64(n)
	return n, err
}

func (s *aside) writeTail(p []byte) (int, error) {
	if s.tail == nil {
		f, err := os.CreateTemp("", "lmtpd-")
		if err != nil {
			return 0, err
		}
		s.tail = f
		if err := os.Remove(f.Name()); err != nil {
			return 0, err
		}
	}
	return s.tail.Write(p)
}

// ReadAt implements io.ReaderAt.
func (s *aside) ReadAt(p []byte, off int64) (n int, err error) {
	if off < int64(len(s.head)) {
		if n = copy(p, s.head[off:]); n == len(p) {
			return n, nil
		}
	}
	if s.tail == nil {
		return n, io.EOF
	}
	more, err := s.tail.ReadAt(p[n:], off+int64(n)-int64(len(s.head)))
	return n + more, err
}

// Size is the number of octets.
func (s *aside) Size() int64 { return s.size }

// reader reads it from its beginning.
func (s *aside) reader() io.Reader { return io.NewSectionReader(s, 0, s.size) }

// Close gives the file back.
func (s *aside) Close() error {
	if s.tail == nil {
		return nil
	}
	return s.tail.Close()
}

func isASCII(p []byte) bool {
	for _, c := range p {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
