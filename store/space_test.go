package store

import (
	"context"
	"errors"
	"math"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// A disk is a file system whose free space a test sets; the number of an open file is its device.
type disk struct {
	*Space
	now   time.Time
	free  Floor
	asked int
	err   error
}

func newDisk(floor Floor) *disk {
	d := &disk{now: time.Unix(1e9, 0), free: Floor{math.MaxInt64, math.MaxInt64}}
	d.Space = NewSpace(floor, func() time.Time { return d.now })
	d.Space.free = func(int) (Floor, error) { d.asked++; return d.free, d.err }
	d.Space.device = func(fd int) (uint64, error) { return uint64(fd), nil }
	return d
}

// Below the floor nothing is taken until a tenth more than the floor is free.
func TestSpaceHysteresis(t *testing.T) {
	d := newDisk(Floor{Octets: 1000, Inodes: 100})
	for i, step := range []struct {
		free Floor
		size int64
		full bool
	}{
		{Floor{1000, 100}, 0, false},
		{Floor{1000, 100}, 1, true}, // that message alone
		{Floor{1000, 100}, 0, false},
		{Floor{1099, 100}, 99, false},
		{Floor{999, 100}, 0, true},
		{Floor{1000, 100}, 0, true},
		{Floor{1099, 110}, 0, true},
		{Floor{1100, 109}, 0, true},
		{Floor{1100, 110}, 0, false},
		{Floor{1000, 100}, 0, false},
		{Floor{5000, 99}, 0, true},
		{Floor{5000, 109}, 0, true},
		{Floor{5000, 110}, 4000, false},
		{Floor{5000, 110}, 4001, true},
		{Floor{math.MaxInt64, math.MaxInt64}, math.MaxInt64 - 1000, false},
		{Floor{0, 0}, 0, true},
	} {
		d.now = d.now.Add(time.Second)
		d.free = step.free
		if err := d.Check(t.Context(), 1, step.size); errors.Is(err, ErrFull) != step.full || !step.full && err != nil {
			t.Errorf("step %d, %+v: %v, want it full: %v", i, step.free, err, step.full)
		}
	}
	if err := d.Check(t.Context(), 2, 0); !errors.Is(err, ErrFull) {
		t.Errorf("another file system below the floor: %v", err)
	}
	d.free = Floor{2000, 200}
	if err := d.Check(t.Context(), 3, 0); err != nil {
		t.Errorf("another file system above the floor: %v", err)
	}
}

// A file system is asked once a second, and again after an error or when the clock goes back.
func TestSpaceAsks(t *testing.T) {
	d := newDisk(Floor{})
	for _, step := range []struct {
		later time.Duration
		err   error
		asked int
	}{
		{0, unix.EIO, 1}, {0, unix.EIO, 2}, {0, nil, 3}, {0, nil, 3}, {freshSpace - 1, nil, 3}, {1, nil, 4}, {-time.Hour, nil, 5}, {0, nil, 5},
		{time.Second, unix.EIO, 6},
	} {
		d.now, d.err = d.now.Add(step.later), step.err
		if err := d.Check(t.Context(), 1, 0); !errors.Is(err, step.err) || errors.Is(err, ErrFull) || d.asked != step.asked {
			t.Errorf("%v later: %v and asked %d times, want %d", step.later, err, d.asked, step.asked)
		}
	}
}

// A file system that hangs keeps one caller; the others go by what it said last, or give up when their time is over.
func TestSpaceHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dead, alive = 1, 2
		d := newDisk(Floor{Octets: 10})
		hang := make(chan struct{})
		d.Space.free = func(fd int) (Floor, error) {
			if fd == dead {
				<-hang
			}
			return Floor{Octets: 100}, nil
		}
		first := make(chan error, 1)
		go func() { first <- d.Check(t.Context(), dead, 0) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := d.Check(ctx, dead, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a file system that has never answered: %v", err)
		}
		if err := d.Check(t.Context(), alive, 0); err != nil {
			t.Errorf("another file system: %v", err)
		}
		second := make(chan error, 1)
		go func() { second <- d.Check(t.Context(), dead, 0) }()
		synctest.Wait()
		close(hang)
		if err := errors.Join(<-first, <-second); err != nil {
			t.Errorf("after it has answered: %v", err)
		}
		hang = make(chan struct{})
		d.now = d.now.Add(time.Minute)
		go func() { first <- d.Check(t.Context(), dead, 0) }()
		synctest.Wait()
		if err := d.Check(t.Context(), dead, 90); err != nil {
			t.Errorf("while it hangs again: %v", err)
		}
		if err := d.Check(t.Context(), dead, 91); !errors.Is(err, ErrFull) {
			t.Errorf("while it hangs again: %v, want ErrFull", err)
		}
		close(hang)
		<-first
	})
}

func TestSpaceReally(t *testing.T) {
	f, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, test := range []struct {
		floor Floor
		size  int64
		full  bool
	}{
		{Floor{}, 0, false}, {Floor{}, 1, false}, {Floor{Octets: 1}, 1, false}, {Floor{}, math.MaxInt64, true}, {Floor{Octets: math.MaxInt64}, 0, true},
	} {
		if err := NewSpace(test.floor, time.Now).Check(t.Context(), int(f.Fd()), test.size); errors.Is(err, ErrFull) != test.full || !test.full && err != nil {
			t.Errorf("%+v, %d octets: %v", test.floor, test.size, err)
		}
	}
	if err := NewSpace(Floor{}, time.Now).Check(t.Context(), -1, 0); err == nil || errors.Is(err, ErrFull) {
		t.Errorf("no file: %v", err)
	}
}

func TestOctets(t *testing.T) {
	for _, test := range []struct{ blocks, size, want int64 }{
		{10, 4096, 40960}, {0, 4096, 0}, {-5, 4096, 0}, {10, -1, 0}, {math.MaxInt64, 1, math.MaxInt64}, {math.MaxInt64, 4096, math.MaxInt64},
		{1 << 62, 2, math.MaxInt64}, {1 << 61, 2, 1 << 62},
	} {
		if got := octets(test.blocks, test.size); got != test.want {
			t.Errorf("%d × %d is %d, want %d", test.blocks, test.size, got, test.want)
		}
	}
}
