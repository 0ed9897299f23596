package textfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Reading is one reading of a file and of those that it names. All of them are looked at from then on, the ones
// that could not be read too.
type Reading struct {
	max   int64
	parts []part
}

// A part is a file as it was read.
type part struct {
	path   string
	info   os.FileInfo // before it was read; nil if it could not be
	octets int
	ended  bool // its last line has an end
	blank  bool // there is nothing in it at all, not even a comment
}

// Read reads a file. An error that wraps ErrChanging says that it changed meanwhile.
func (r *Reading) Read(path string) (string, error) {
	text, info, err := r.readAll(path)
	r.parts = append(r.parts, part{
		path:   path,
		info:   info,
		octets: len(text),
		ended:  strings.HasSuffix(text, "\n"),
		blank:  strings.TrimSpace(text) == "",
	})
	return text, err
}

// OpenRegular opens a file to read it. What is no regular file is refused, and not waited for: a FIFO would open when
// somebody writes to it. Nor is it opened, which a device may take for a command; but whatever a path leads to can change
// in between.
func OpenRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := regular(path, info); err != nil {
		return nil, err
	}
	in, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if info, err = in.Stat(); err == nil {
		err = regular(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

func regular(path string, info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	return nil
}

func (r *Reading) readAll(path string) (string, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, err
	}
	if r.max > 0 && info.Size() > r.max {
		return "", info, fmt.Errorf("%s has %d octets, more than %d", path, info.Size(), r.max)
	}
	in, err := OpenRegular(path)
	if err != nil {
		return "", nil, err
	}
	defer in.Close()
	var text strings.Builder
	text.Grow(int(info.Size()) + 1)
	if _, err := io.Copy(&text, io.LimitReader(in, info.Size()+1)); err != nil {
		return "", nil, fmt.Errorf("%s: %w", path, err)
	}
	after, err := in.Stat()
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", path, err)
	}
	if !unchanged(info, after) || after.Size() != int64(text.Len()) {
		return "", nil, fmt.Errorf("%s: %w", path, ErrChanging)
	}
	return text.String(), info, nil
}

// Mode returns the mode of the file that was read last, 0 if it could not be.
func (r *Reading) Mode() os.FileMode {
	if len(r.parts) == 0 || r.parts[len(r.parts)-1].info == nil {
		return 0
	}
	return r.parts[len(r.parts)-1].info.Mode()
}

// unchanged says whether two looks at a file saw the same. Either may be nil, which is no file.
func unchanged(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// isYoung says whether a file was changed so lately that another change might leave the same time behind.
func isYoung(info os.FileInfo, now time.Time) bool {
	return now.Sub(info.ModTime()).Abs() < lookEvery
}

func anyYoung(parts []part, now time.Time) bool {
	for _, p := range parts {
		if p.info != nil && isYoung(p.info, now) {
			return true
		}
	}
	return false
}

// found returns what the files of parts looked like, by path.
func found(parts []part) map[string]os.FileInfo {
	infos := make(map[string]os.FileInfo, len(parts))
	for _, p := range parts {
		infos[p.path] = p.info
	}
	return infos
}

// same says whether the files of parts look like that.
func same(parts []part, infos map[string]os.FileInfo) bool {
	for _, p := range parts {
		if !unchanged(p.info, infos[p.path]) {
			return false
		}
	}
	return true
}
