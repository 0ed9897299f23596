package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/delivery/spool"
	"lmtpd/protocol/smtp"
)

// A stuck transport heeds nobody until it is let go.
type stuck struct{ begun, free chan struct{} }

func (stuck) Destination(_, _ smtp.Path) string { return "stuck" }

func (s stuck) Attempt(context.Context, string, *spool.Message) ([]spool.Outcome, error) {
	close(s.begun)
	<-s.free
	return []spool.Outcome{{Fate: spool.Delivered}}, nil
}

// The daemon ends though an attempt does not, as it does in spite of sessions.
func TestAttemptsThatDoNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = time.Minute
		to := stuck{make(chan struct{}), make(chan struct{})}
		s, err := spool.Open(t.Context(), spool.Config{
			Path: filepath.Join(t.TempDir(), "spool.db"), Transport: to, Report: func(dsn.Report) (spool.Mail, error) { return spool.Mail{}, nil },
			Grace: grace, Now: time.Now, NewID: newID, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		env := &smtp.Envelope{ID: "A", Recipients: []smtp.Recipient{{To: smtp.Path{Local: "ann", Domain: "x"}}}}
		if err := s.Put(t.Context(), spool.Mail{Envelope: env, Content: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
		p, failed := &post{spool: s}, make(chan error, 2)
		stop := p.run(failed, grace)
		<-to.begun
		begun := time.Now()
		if stop() {
			t.Error("an attempt that hangs has ended")
		}
		if took := time.Since(begun); took != grace+lingering {
			t.Errorf("that took %v", took)
		}
		close(to.free)
		if !stop() || len(failed) != 0 {
			t.Error("it does not end")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
