package account

import (
	"errors"
	"os"
	"time"
)

// What is no accounts file, though each of its lines may be good.
var (
	errEmptied = errors.New("the file has become empty")
	errCutOff  = errors.New("the file has become shorter and ends in mid-line")
)

// A watch is what is known of a file that is looked at now and then.
type watch struct {
	read  os.FileInfo // the file as it was last read, taken or not
	seen  os.FileInfo // the file as the last look found it; nil if there was none
	young bool        // it was read so soon after a change that the next might not show
	said  string      // what was last complained of
}

// look looks at the file and takes it if it has changed.
//
// Editors replace a file by rename or empty it and write it anew, and nothing tells which. So what is whole, ends in
// a line end and is no shorter than before is taken at once, and anything else when it has not changed for a second.
// Until then a name that is not found is in doubt.
func (f *File) look(now time.Time) {
	if !f.watching.TryLock() {
		return
	}
	defer f.watching.Unlock()
	w := &f.watch
	info, err := os.Stat(f.cfg.Path)
	if err != nil {
		w.seen = nil
		f.refuse(err)
		return
	}
	settled := unchanged(w.seen, info) || now.Sub(info.ModTime()) >= lookEvery
	back := w.seen == nil
	w.seen = info
	switch known := unchanged(w.read, info); {
	case !known:
		f.changing.Store(true)
		f.readAgain(settled, now)
	case w.young:
		f.readAgain(settled, now)
	default:
		f.changing.Store(false)
		if back {
			f.cfg.Log.Info("accounts file is back", "file", f.cfg.Path)
			w.said = ""
		}
	}
}

// readAgain reads the file. What it does with it depends on whether the file is settled.
func (f *File) readAgain(settled bool, now time.Time) {
	old := f.accounts.Load()
	t, info, err := readTable(f.cfg.Path)
	if errors.Is(err, errChanging) {
		return
	}
	complete := settled || err == nil && t.ended && t.octets >= old.octets
	if err == nil {
		err = t.follows(old)
	}
	switch {
	case err == nil && complete:
		f.take(t, info, now)
	case settled:
		if info != nil { // else it could not be read, and the next time it may be
			f.watch.read, f.watch.young = info, false
		}
		f.refuse(err)
	}
}

// follows says why a table cannot be what has become of old.
func (t *table) follows(old *table) error {
	switch {
	case t.blank && !old.blank:
		return errEmptied
	case !t.ended && old.ended && t.octets < old.octets:
		return errCutOff
	}
	return nil
}

// take makes a table the one that counts.
func (f *File) take(t *table, info os.FileInfo, now time.Time) {
	if !unchanged(f.watch.read, info) || f.watch.said != "" {
		f.cfg.Log.Info("accounts read", "file", f.cfg.Path, "accounts", len(t.accounts))
	}
	f.accounts.Store(t)
	f.changing.Store(false)
	f.watch.read, f.watch.young, f.watch.said = info, isYoung(info, now), ""
}

// refuse keeps the accounts as they are and says why, unless that was the last thing it said.
func (f *File) refuse(err error) {
	f.changing.Store(false)
	if f.watch.said == err.Error() {
		return
	}
	f.watch.said = err.Error()
	var mistakes Mistakes
	if errors.As(err, &mistakes) {
		f.cfg.Log.Error("accounts file has mistakes; accounts stay as they were",
			"file", f.cfg.Path, "mistakes", len(mistakes), "cause", mistakes[0].String())
		return
	}
	f.cfg.Log.Error("accounts file cannot be taken; accounts stay as they were", "file", f.cfg.Path, "cause", err)
}
