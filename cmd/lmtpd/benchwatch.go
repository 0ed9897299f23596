package main

import (
	"syscall"
	"time"
)

// watchEvery is how often memory is looked at.
const watchEvery = time.Second

// A treeUse is what a process and its descendants use.
type treeUse struct {
	processor time.Duration // since they began, with those that have ended and been waited for
	memory    int64         // octets that are resident; of pages that several share, each has its part
	processes int
}

// A watch follows a process and its descendants while load is made.
type watch struct {
	pid         int
	first, last treeUse
	memory      int64 // at most
	processes   int   // at most
	err         error
	stop        chan struct{}
	stopped     chan struct{}
}

// watchProcess begins to follow a process.
func watchProcess(pid int) (*watch, error) {
	use, err := processTree(pid)
	if err != nil {
		return nil, err
	}
	w := &watch{pid: pid, first: use, stop: make(chan struct{}), stopped: make(chan struct{})}
	w.see(use)
	go w.run()
	return w, nil
}

func (w *watch) run() {
	defer close(w.stopped)
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.look()
		case <-w.stop:
			w.look()
			return
		}
	}
}

// look takes what there is now. After the process has ended, what was seen last remains.
func (w *watch) look() {
	use, err := processTree(w.pid)
	if w.err = err; err == nil {
		w.see(use)
	}
}

func (w *watch) see(use treeUse) {
	w.last = use
	w.memory = max(w.memory, use.memory)
	w.processes = max(w.processes, use.processes)
}

// end looks once more, stops and tells.
func (w *watch) end() *benchUse {
	close(w.stop)
	<-w.stopped
	use := &benchUse{PID: w.pid, CPU: (w.last.processor - w.first.processor).Seconds(), Memory: w.memory, Processes: w.processes}
	if w.err != nil {
		use.Problem = w.err.Error()
	}
	return use
}

// ownProcessor is the time that this process has had of processors.
func ownProcessor() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0 // it takes nothing that could be wrong
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
