package main

import (
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
)

// largeMessage is how many octets somebody is shown the progress of.
const largeMessage = 1 << 20

// sendProgress shows how much of a large message was read, if somebody looks: on a terminal that does not show the dialogue.
// done takes the bar away.
func sendProgress(c *cli.Context, s *sendContent) (r io.Reader, done func()) {
	out, ok := c.App.ErrWriter.(*os.File)
	if !ok || !isTerminal(out) || s.Size() < largeMessage || c.Bool("verbose") {
		return s.reader(), func() {}
	}
	bar := progressbar.NewOptions64(s.Size(), progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(printable(filepath.Base(s.name))),
		progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	read := progressbar.NewReader(s.reader(), bar)
	return &read, func() { _ = bar.Finish() } // a terminal that went away is no reason to keep the message
}
