package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// liveEvery is how often a terminal is told how it goes.
const liveEvery = 500 * time.Millisecond

// A live line is shown on a terminal while load is made, and is gone at the end.
type live struct {
	stop, stopped chan struct{}
}

// showLive begins to show t, if w is a terminal. Where it is none, nothing is shown.
func showLive(w io.Writer, t *benchTally) *live {
	l := &live{make(chan struct{}), make(chan struct{})}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		close(l.stopped)
		return l
	}
	go l.run(f, t)
	return l
}

func (l *live) run(f *os.File, t *benchTally) {
	const clear = "\r\x1b[K" // to the start of the line, and empty it
	defer close(l.stopped)
	ticker := time.NewTicker(liveEvery)
	defer ticker.Stop()
	began, before, last := time.Now(), int64(0), time.Now()
	for {
		select {
		case <-l.stop:
			fmt.Fprint(f, clear)
			return
		case now := <-ticker.C:
			n, p99 := t.now()
			rate := float64(n.messages-before) / now.Sub(last).Seconds()
			fmt.Fprintf(f, "%s%.0f s: %d messages, %.0f/s now, p99 %s, %d recipients without", clear,
				now.Sub(began).Seconds(), n.messages, rate, milliseconds(p99), n.failed())
			before, last = n.messages, now
		}
	}
}

// end takes the line away.
func (l *live) end() {
	close(l.stop)
	<-l.stopped
}
