package maildir

import (
	"sync/atomic"

	"lmtpd/store"
)

// A listing is where the files of a folder were when somebody last listed one: who goes through all its messages need not
// look through the folder for each. Files may have been renamed since, so it is only where to look first.
type listing struct {
	place place
	files map[string]string // by id
}

// listings keep the last one.
type listings struct {
	last atomic.Pointer[listing]
}

func (l *listings) note(p place, all []found) {
	files := make(map[string]string, len(all))
	for _, m := range all {
		files[m.id] = m.file
	}
	l.last.Store(&listing{p, files})
}

// find looks a message of the folder d up by its id.
func (s *Store) find(d *dir, p *store.Placement, id string) (found, error) {
	last := s.listed.last.Load()
	if last == nil || last.place != s.placeOf(p.Mailbox, p.Folder) {
		return d.find(id)
	}
	file, ok := last.files[id]
	if !ok {
		return d.find(id)
	}
	if fi, err := d.root.Lstat(file); err != nil || !fi.Mode().IsRegular() {
		return d.find(id)
	}
	b, _ := parseName(file[len("cur/"):])
	return found{baseName: b, file: file}, nil
}
