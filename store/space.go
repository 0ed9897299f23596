package store

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// freshSpace is for how long the answer of a file system is believed.
const freshSpace = time.Second

// A Floor is what is to stay free on a file system. 0: anything may be used up.
type Floor struct {
	Octets int64
	Inodes int64
}

// Space guards a floor on every file system that it is asked about. Once below the floor, a file system stays closed until
// a tenth more than the floor is free: mail would come and go by single messages otherwise.
type Space struct {
	floor  Floor
	now    func() time.Time
	free   func(fd int) (Floor, error)
	device func(fd int) (uint64, error)

	mu      sync.Mutex
	systems map[uint64]*fileSystem // by device
}

// A fileSystem is what is known of one.
type fileSystem struct {
	free   Floor
	asked  time.Time // when; zero: nothing is known
	below  bool
	asking chan struct{} // closed when the answer has come; nil: nobody waits for one
}

// NewSpace makes a Space that knows the time from now.
func NewSpace(floor Floor, now func() time.Time) *Space {
	return &Space{floor: floor, now: now, free: statfs, device: device, systems: map[uint64]*fileSystem{}}
}

// Check says whether size octets fit the file system that the open file fd is on, and leave the floor free: nil or an error
// wrapping ErrFull. Any other error means it could not be told.
//
// A file system is asked once a second at most, and by one caller at a time: when a dead one lets that caller hang, the
// others go by its last answer, or wait for its first until ctx ends. Nobody waits for another file system's.
func (s *Space) Check(ctx context.Context, fd int, size int64) error {
	dev, err := s.device(fd)
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	f, err := s.look(ctx, dev, fd)
	switch {
	case err != nil:
		return fmt.Errorf("free space: %w", err)
	case f.below:
		return fmt.Errorf("%w: %d octets and %d inodes free, too few above the %d and %d to be kept", ErrFull,
			f.free.Octets, f.free.Inodes, s.floor.Octets, s.floor.Inodes)
	case f.free.Octets-s.floor.Octets < size:
		return fmt.Errorf("%w: %d octets free, %d of them to be kept, and %d wanted", ErrFull, f.free.Octets, s.floor.Octets, size)
	}
	return nil
}

// look tells what is known of a file system, and asks it if that is too old.
func (s *Space) look(ctx context.Context, dev uint64, fd int) (fileSystem, error) {
	for {
		f, wait, known := s.recall(dev)
		if known {
			return f, nil
		}
		if wait == nil {
			return s.ask(dev, fd)
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return f, context.Cause(ctx)
		}
	}
}

// recall says what is known, else what to wait for, else that the caller must ask.
func (s *Space) recall(dev uint64) (f fileSystem, wait chan struct{}, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.systems[dev]
	if p == nil {
		p = &fileSystem{}
		s.systems[dev] = p
	}
	age := s.now().Sub(p.asked)
	if !p.asked.IsZero() && (p.asking != nil || age >= 0 && age < freshSpace) {
		return *p, nil, true
	}
	if p.asking == nil {
		p.asking = make(chan struct{})
		return *p, nil, false
	}
	return *p, p.asking, false
}

// ask asks the file system, without a lock: it may hang.
func (s *Space) ask(dev uint64, fd int) (fileSystem, error) {
	free, err := s.free(fd)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.systems[dev]
	close(p.asking)
	p.asking = nil
	if err != nil {
		return *p, err
	}
	p.free, p.asked = free, s.now()
	switch {
	case free.under(s.floor, 0):
		p.below = true
	case !free.under(s.floor, 10):
		p.below = false
	}
	return *p, nil
}

// under says whether less is free than the floor and some percent of it.
func (free Floor) under(floor Floor, percent int64) bool {
	more := func(n int64) int64 { return n + n/100*percent + n%100*percent/100 }
	return free.Octets < more(floor.Octets) || free.Inodes < more(floor.Inodes)
}

func device(fd int) (uint64, error) {
	var st unix.Stat_t
	err := uninterrupted(func() error { return unix.Fstat(fd, &st) })
	return uint64(st.Dev), err
}

// statfs tells what those may use who are not root. Some file systems (btrfs) make inodes as they need them.
func statfs(fd int) (Floor, error) {
	var st unix.Statfs_t
	if err := uninterrupted(func() error { return unix.Fstatfs(fd, &st) }); err != nil {
		return Floor{}, err
	}
	free := Floor{Octets: octets(int64(st.Bavail), blockSize(&st)), Inodes: int64(st.Ffree)}
	if st.Files == 0 {
		free.Inodes = math.MaxInt64
	}
	return free, nil
}

// octets does not overflow: file systems without an end say that they have as much as a number can.
func octets(blocks, size int64) int64 {
	if blocks <= 0 || size <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(blocks), uint64(size))
	if high > 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}

func uninterrupted(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
