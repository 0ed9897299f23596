package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"lmtpd/store"
	"lmtpd/store/mbox"
)

// inMemory is how much of a message is in memory; what is larger is in a file.
const inMemory = 1 << 20

// errSpool says that it was not the message: what it is written to is broken, and will be for the next.
var errSpool = errors.New("cannot write")

// A Spool holds one message at a time.
type Spool struct {
	dir  string
	head bytes.Buffer
	file *os.File // holds what is behind head; made when it is needed
	tail int64
}

var _ store.Content = (*Spool)(nil)

// NewSpool makes one whose file, if it needs one, is in dir ("": where the system has such files) and has no name.
func NewSpool(dir string) *Spool { return &Spool{dir: dir} }

// Close gives the file back.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// fill replaces the message by what r reads.
func (s *Spool) fill(r io.Reader) error {
	if err := s.reset(); err != nil {
		return err
	}
	_, err := io.Copy(spoolWriter{s}, r)
	return err
}

// next replaces the message by the next of an mbox.
func (s *Spool) next(in *mbox.Reader) (mbox.Message, error) {
	if err := s.reset(); err != nil {
		return mbox.Message{}, err
	}
	return in.Next(spoolWriter{s})
}

func (s *Spool) reset() error {
	s.head.Reset()
	s.tail = 0
	if s.file == nil {
		return nil
	}
	if err := s.file.Truncate(0); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	return nil
}

// A spoolWriter appends to a spool.
type spoolWriter struct{ *Spool }

func (w spoolWriter) Write(p []byte) (n int, err error) {
	if room := inMemory - w.head.Len(); room > 0 {
		n, _ = w.head.Write(p[:min(len(p), room)])
	}
	if n == len(p) {
		return n, nil
	}
	if err := w.open(); err != nil {
		return n, fmt.Errorf("%w: %w", errSpool, err)
	}
	m, err := w.file.WriteAt(p[n:], w.tail)
	w.tail += int64(m)
	if err != nil {
		err = fmt.Errorf("%w: %w", errSpool, err)
	}
	return n + m, err
}

func (s *Spool) open() (err error) {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "transfer-*")
	if err != nil {
		return err
	}
	if err := os.Remove(f.Name()); err != nil {
		return errors.Join(err, f.Close())
	}
	s.file = f
	return nil
}

// Size implements store.Content.
func (s *Spool) Size() int64 { return int64(s.head.Len()) + s.tail }

// ReadAt implements store.Content.
func (s *Spool) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read before the start of content")
	}
	head := s.head.Bytes()
	if off < int64(len(head)) {
		n = copy(p, head[off:])
		off += int64(n)
	}
	if left := s.Size() - off; n < len(p) && left > 0 {
		var m int
		m, err = s.file.ReadAt(p[n:min(int64(len(p)), int64(n)+left)], off-int64(len(head)))
		n += m
		if err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
