package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/store"
)

// A fakeSearcher ends its calls as it was told, one after the other, and remembers when they came.
type fakeSearcher struct {
	store.Searcher
	ends  []error
	began []time.Duration // since start
	start time.Time
	end   func()
}

func (f *fakeSearcher) Index(context.Context) (int, error) {
	f.began = append(f.began, time.Since(f.start))
	if len(f.began) == len(f.ends) {
		f.end()
	}
	return 0, f.ends[len(f.began)-1]
}

// An index is looked after every second, and one that fails every minute, which is told once.
func TestUpkeepIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		broken, torn := errors.New("broken"), errors.New("torn")
		f := &fakeSearcher{ends: []error{nil, nil, broken, broken, torn, nil, broken, nil}, start: time.Now(), end: cancel}
		var log strings.Builder
		d := &daemon{log: slog.New(slog.NewTextHandler(&log, nil))}
		d.index(ctx, f)
		at := time.Duration(0)
		for i, pause := range []time.Duration{0, indexEvery, indexEvery, indexRetry, indexRetry, indexRetry, indexEvery, indexRetry} {
			if at += pause; f.began[i] != at {
				t.Errorf("call %d after %v, want %v", i, f.began[i], at)
			}
		}
		if n := strings.Count(log.String(), "cause="); n != 3 {
			t.Errorf("told %d times:\n%s", n, log.String())
		}
	})
}
