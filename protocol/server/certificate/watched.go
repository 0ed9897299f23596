package certificate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// lookEvery is how often, at most, a client that comes makes files be looked at, and how long a file must not have changed for
// its time to tell that it has not changed again.
const lookEvery = time.Second

// maxOctets is how large a file may be. A chain of four certificates has 8 KiB; all the roots of a browser have 250 KiB.
const maxOctets = 4 << 20

// A watched is what some files mean together, and what is known of them.
type watched[T any] struct {
	what  string
	paths []string
	parse func(texts [][]byte) (T, error)
	keeps func(old, fresh T, now time.Time) error     // why fresh is not taken though it was read; nil: it always is
	taken func(infos []os.FileInfo, log *slog.Logger) // hears of files that were taken; nil: nobody does

	value  T
	digest [sha256.Size]byte // of the files that value was read from
	infos  []os.FileInfo     // those files
	young  bool              // one was read so soon after a change that the next might not show
	before []os.FileInfo     // the files as the last look found them; nil if it did not
	said   string            // what was last complained of
}

// open reads the files for the first time. value may be there although there is an error: it is what is not taken.
func (w *watched[T]) open(now time.Time, log *slog.Logger) error {
	fresh, infos, err := w.read()
	if err != nil {
		return err
	}
	if w.keeps != nil {
		err = w.keeps(w.value, fresh.value, now)
	}
	w.take(fresh, infos, now)
	if err == nil && w.taken != nil {
		w.taken(infos, log)
	}
	return err
}

// look looks at the files, takes them if they have changed, and says whether value did.
//
// Nobody replaces two files at once. So what cannot be taken, because key and certificate do not fit or for any other reason, is
// complained of only when the next look finds the same; until it can be taken it is tried at every look.
func (w *watched[T]) look(now time.Time, log *slog.Logger) (changed bool) {
	infos, err := stat(w.paths)
	if err == nil && !w.young && same(w.infos, infos) {
		w.back(log)
		return false
	}
	settled := same(w.before, infos)
	w.before = infos
	fresh, infos, err := w.read()
	if err == nil && fresh.digest == w.digest {
		w.take(fresh, infos, now)
		w.back(log)
		return false
	}
	if err == nil && w.keeps != nil {
		err = w.keeps(w.value, fresh.value, now)
	}
	if err != nil {
		if settled {
			w.refuse(err, log)
		}
		return false
	}
	w.take(fresh, infos, now)
	w.said = ""
	log.Info(w.what+" read", "file", w.paths[0])
	if w.taken != nil {
		w.taken(infos, log)
	}
	return true
}

// A content is what files mean as they were read.
type content[T any] struct {
	value  T
	digest [sha256.Size]byte
}

// read reads the files. infos are of the files that were read.
func (w *watched[T]) read() (fresh content[T], infos []os.FileInfo, err error) {
	var wrong []error
	texts := make([][]byte, len(w.paths))
	infos = make([]os.FileInfo, len(w.paths))
	for i, path := range w.paths {
		if i > 0 && path == w.paths[0] { // certificate and key in one file
			texts[i], infos[i] = texts[0], infos[0]
			continue
		}
		if texts[i], infos[i], err = readFile(path); err != nil {
			wrong = append(wrong, err)
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return fresh, nil, err
	}
	fresh.value, err = w.parse(texts)
	fresh.digest = sha256.Sum256(bytes.Join(texts, []byte{0}))
	return fresh, infos, err
}

func (w *watched[T]) take(fresh content[T], infos []os.FileInfo, now time.Time) {
	w.value, w.digest, w.infos, w.before, w.young = fresh.value, fresh.digest, infos, infos, false
	for _, info := range infos {
		w.young = w.young || now.Sub(info.ModTime()).Abs() < lookEvery
	}
}

// refuse says why the old value is kept, unless that was the last thing it said.
func (w *watched[T]) refuse(err error, log *slog.Logger) {
	if w.said != err.Error() {
		log.Error(w.what+" cannot be taken; the old one is kept", "file", w.paths[0], "cause", err)
	}
	w.said = err.Error()
}

// back says that files are again what they were when they were taken, if there was a complaint.
func (w *watched[T]) back(log *slog.Logger) {
	if w.said != "" {
		log.Info(w.what+" is back", "file", w.paths[0])
	}
	w.said, w.before = "", w.infos
}

// readFile reads a file. What is no regular file is not opened: a FIFO would open when somebody writes to it.
func readFile(path string) ([]byte, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", path)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	if info, err = in.Stat(); err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(in, maxOctets+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	case len(text) > maxOctets:
		return nil, nil, fmt.Errorf("%s has more than %d octets", path, maxOctets)
	}
	return text, info, nil
}

// stat looks at files that must all be there.
func stat(paths []string) ([]os.FileInfo, error) {
	infos := make([]os.FileInfo, len(paths))
	for i, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		infos[i] = info
	}
	return infos, nil
}

// same says whether two looks at files saw the same: nothing, or files of the same inode, size and time.
func same(a, b []os.FileInfo) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return true
}
