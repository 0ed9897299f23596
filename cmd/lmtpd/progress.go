package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"lmtpd/store/transfer"
)

// A progress is what a transfer tells whoever waits for it: on a terminal a bar, for everybody the messages that failed, and
// in the end the sums.
type progress struct {
	stderr   io.Writer
	bar      *progressbar.ProgressBar // nil: nobody looks
	outcomes [3]int                   // by transfer.Outcome
	failed   int
	code     int // of the first that failed
}

var _ transfer.Watch = (*progress)(nil)

// newProgress shows what is being done, if standard error is a terminal.
func newProgress(c *cli.Context, doing string) *progress {
	p := &progress{stderr: c.App.ErrWriter}
	if f, ok := p.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		// A bar that is full once is done with, so it has one more than there is.
		p.bar = progressbar.NewOptions64(1, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(printable(doing)),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("messages"), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
	return p
}

// Expect implements transfer.Watch.
func (p *progress) Expect(messages int) {
	if p.bar != nil {
		p.bar.AddMax(messages)
	}
}

// Done implements transfer.Watch.
func (p *progress) Done(o transfer.Outcome) {
	p.outcomes[o]++
	p.step()
}

// Failed implements transfer.Watch.
func (p *progress) Failed(what string, cause error) {
	p.clear()
	fmt.Fprintf(p.stderr, "lmtpd: %s\n", printable(fmt.Sprintf("%s: %v", what, cause)))
	if p.failed++; p.failed == 1 {
		p.code = exitCode(cause)
	}
	p.step()
}

// step has no error to hand on: a terminal that went away is no reason to leave mail behind.
func (p *progress) step() {
	if p.bar != nil {
		_ = p.bar.Add(1)
	}
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// err says by its exit code that something failed; what, has been told.
func (p *progress) err() error {
	if p.failed == 0 {
		return nil
	}
	return cli.Exit("", p.code)
}
