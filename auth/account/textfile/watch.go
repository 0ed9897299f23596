package textfile

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// What is no new version of a file, though each of its lines may be good.
var (
	errEmptied = errors.New("the file has become empty")
	errCutOff  = errors.New("the file has become shorter and ends in mid-line")
)

// A watch is what is known of files that are looked at now and then.
type watch struct {
	read  []part                 // the files as they were last read, taken or not; the first is the one that names the others
	seen  map[string]os.FileInfo // the files as the last look found them; nil if the first was not there
	young bool                   // one was read so soon after a change that the next might not show
	fault error                  // why they were not taken as they were last read; nil if they were
	said  string                 // what was last complained of
}

// examine looks at the files and takes them if one has changed. One look is under way at a time.
//
// Editors replace a file by rename or empty it and write it anew, and nothing tells which. So what is whole, ends in
// a line end and is no shorter than before is taken at once, and anything else when it has not changed for a second.
// Until it is taken, which what is refused never is, what is not found is in doubt.
func (f *File[T]) examine(now time.Time) {
	w := &f.watch
	before := w.seen
	var err error
	if w.seen, err = stat(w.read); err != nil {
		f.refuse(err)
		return
	}
	switch known := same(w.read, w.seen); {
	case !known:
		if f.doubt.Load() == nil {
			f.changing()
		}
		f.readAgain(before, now)
	case w.young:
		f.readAgain(before, now)
	case w.fault != nil:
		f.refuse(w.fault)
	default:
		f.doubt.Store(nil)
		if w.said != "" {
			f.cfg.Log.Info(f.cfg.Name+" file is back", "file", f.cfg.Path)
			w.said = ""
		}
	}
}

// changing puts in doubt what is not in the content.
func (f *File[T]) changing() { f.doubt.Store(&ErrChanging) }

// stat looks at the files of parts. Only the first must be there.
func stat(parts []part) (map[string]os.FileInfo, error) {
	infos := make(map[string]os.FileInfo, len(parts))
	for i, p := range parts {
		info, err := os.Stat(p.path)
		switch {
		case err == nil:
			infos[p.path] = info
		case i == 0:
			return nil, err
		}
	}
	return infos, nil
}

// readAgain reads the files. What it does with them depends on whether they are settled: as they were at the look
// before, or old.
func (f *File[T]) readAgain(before map[string]os.FileInfo, now time.Time) {
	v, err := f.read()
	if errors.Is(err, ErrChanging) {
		f.changing()
		return
	}
	old := f.taken.Load().parts
	settled, complete := true, err == nil
	for _, p := range v.parts {
		if p.info != nil {
			f.watch.seen[p.path] = p.info
		}
		info := f.watch.seen[p.path] // of one that cannot be read, too
		rests := unchanged(before[p.path], info) || info != nil && now.Sub(info.ModTime()) >= lookEvery
		settled = settled && rests
		complete = complete && (rests || p.ended && p.octets >= partOf(old, p.path).octets)
	}
	if err == nil {
		err = follows(v.parts, old)
	}
	switch {
	case err == nil && complete:
		f.take(v, now)
	case settled:
		if isVerdict(err) { // else the next reading may tell
			f.watch.read, f.watch.young, f.watch.fault = v.parts, false, err
		}
		f.refuse(err)
	default:
		f.changing()
	}
}

// isVerdict says whether an error is about what is in the files, so that it will be the same until they change.
func isVerdict(err error) bool {
	var mistakes Mistakes
	return errors.As(err, &mistakes) || errors.Is(err, errEmptied) || errors.Is(err, errCutOff)
}

// partOf returns the part of a path, or one about which nothing is known.
func partOf(parts []part, path string) part {
	for _, p := range parts {
		if p.path == path {
			return p
		}
	}
	return part{blank: true}
}

// follows says why files cannot be what has become of the old ones.
func follows(parts, old []part) error {
	for _, p := range parts {
		was := partOf(old, p.path)
		switch {
		case p.blank && !was.blank:
			return fmt.Errorf("%s: %w", p.path, errEmptied)
		case !p.ended && was.ended && p.octets < was.octets:
			return fmt.Errorf("%s: %w", p.path, errCutOff)
		}
	}
	return nil
}

// take makes a version the one that counts.
func (f *File[T]) take(v *version[T], now time.Time) {
	if !same(f.watch.read, found(v.parts)) || f.watch.said != "" {
		f.cfg.Log.Info(f.cfg.Name+" read", "file", f.cfg.Path, f.cfg.Name, v.content.Len())
	}
	f.taken.Store(v)
	f.doubt.Store(nil)
	f.watch.read, f.watch.young, f.watch.fault, f.watch.said = v.parts, anyYoung(v.parts, now), nil, ""
}

// refuse keeps the content as it is, puts in doubt what is not in it, and says why, unless that was the last thing it
// said.
func (f *File[T]) refuse(err error) {
	cause := err.Error()
	var mistakes Mistakes
	if errors.As(err, &mistakes) {
		cause = mistakes[0].String()
	}
	doubt := fmt.Errorf("%w: %s", ErrRefused, cause)
	f.doubt.Store(&doubt)
	if f.watch.said == err.Error() {
		return
	}
	f.watch.said = err.Error()
	name := f.cfg.Name
	if mistakes != nil {
		f.cfg.Log.Error(name+" file has mistakes; "+name+" stay as they were",
			"file", f.cfg.Path, "mistakes", len(mistakes), "cause", cause)
		return
	}
	f.cfg.Log.Error(name+" file cannot be taken; "+name+" stay as they were", "file", f.cfg.Path, "cause", cause)
}
