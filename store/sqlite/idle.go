package sqlite

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A stamp tells one state of a database's files from another, as far as the file system does.
type stamp struct {
	octets, logOctets     int64
	modified, logModified time.Time
	settled               bool // they were written so long ago that the next write will have another time
}

// settling is more than the grain of any file system's clock.
const settling = 2 * time.Second

// stampOf looks at a database and its log. What cannot be looked at is not settled.
func stampOf(path string, now time.Time) (s stamp) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return s
	}
	file, err := os.Stat(real)
	if err != nil {
		return s
	}
	s.octets, s.modified = file.Size(), file.ModTime()
	if log, err := os.Stat(real + "-wal"); err == nil {
		s.logOctets, s.logModified = log.Size(), log.ModTime()
	}
	s.settled = now.Sub(s.modified) > settling && now.Sub(s.logModified) > settling
	return s
}

// An idleness knows databases that had nothing to index, by path. With it, looking for work takes no more than a look at files.
type idleness struct {
	mu     sync.Mutex
	stamps map[string]stamp
}

func (i *idleness) is(path string, now stamp) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	before, known := i.stamps[path]
	return known && before == now
}

func (i *idleness) note(path string, now stamp) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stamps == nil {
		i.stamps = map[string]stamp{}
	}
	delete(i.stamps, path)
	if now.settled {
		i.stamps[path] = now
	}
}
