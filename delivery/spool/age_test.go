package spool

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

// The sender of what takes long is told once, and has it back when its time is over, with the reply that was heard last.
func TestAge(t *testing.T) {
	for _, tt := range []struct {
		name   string
		from   string
		notify smtp.Notify
		down   bool // the destination cannot be used at all
		want   []string
	}{
		{"deferred", "ann@here.example", 0, false, []string{"delayed 450 4.2.0 Later", "failed 450 4.2.0 Later"}},
		{"destination down", "ann@here.example", 0, true, []string{"delayed", "failed"}},
		{"DELAY", "ann@here.example", smtp.NotifyDelay, false, []string{"delayed 450 4.2.0 Later"}},
		{"FAILURE", "ann@here.example", smtp.NotifyFailure, false, []string{"failed 450 4.2.0 Later"}},
		{"NEVER", "ann@here.example", smtp.NotifyNever, false, nil},
		{"null", "", 0, false, []string{"failed 450 4.2.0 Later"}}, // to the postmaster
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &carrier{}
				c.answer = func(_ context.Context, name string, m *Message) ([]Outcome, error) {
					switch {
					case name == "here.example":
						return all(m, Delivered, smtp.Reply{}), nil
					case tt.down:
						return nil, errors.New("connection refused")
					}
					return all(m, Deferred, later), nil
				}
				cfg := config(tempPath(t), c)
				cfg.DelayAfter, cfg.Life = 20*time.Minute, time.Hour
				s := open(t, cfg)
				stop := run(t, s)
				m := mail(tt.from, "x", "bob@a.example")
				m.Envelope.Recipients[0].Notify = tt.notify
				put(t, s, m)
				begun := time.Now()
				time.Sleep(65 * time.Minute)
				synctest.Wait()
				var got []string
				for _, one := range c.attempts() {
					if one.to[0] == "bob@a.example" {
						continue
					}
					_, text, _ := strings.Cut(one.content, "\r\n")
					got = append(got, strings.TrimSpace(strings.Replace(text, "<bob@a.example> ", "", 1)))
					after := map[bool]time.Duration{true: cfg.Life, false: cfg.DelayAfter}[strings.HasPrefix(text, "failed")]
					if took := one.at.Sub(begun); took < after || took > after+2*time.Second {
						t.Errorf("%s after %v", text, took)
					}
				}
				for i, text := range got {
					got[i] = strings.TrimSuffix(text, " 0") // no reply
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("notifications %q, want %q", got, tt.want)
				}
				empty(t, s)
				stop()
			})
		})
	}
}

// What is older than its life because nobody could attempt it is attempted once more, and returned only if that is in vain.
func TestAgeBeforeAttempt(t *testing.T) {
	for name, want := range map[string]struct {
		fate   Fate
		counts map[string]int // of attempts, by recipient
	}{
		"taken":    {Relayed, map[string]int{"bob@a.example": 1}},
		"deferred": {Deferred, map[string]int{"bob@a.example": 1, "ann@here.example": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &carrier{}
				c.answer = func(_ context.Context, name string, m *Message) ([]Outcome, error) {
					if name == "here.example" {
						return all(m, Delivered, smtp.Reply{}), nil
					}
					return all(m, want.fate, later), nil
				}
				cfg := config(tempPath(t), c)
				cfg.DelayAfter = -1
				s := open(t, cfg)
				put(t, s, mail("ann@here.example", "x", "bob@a.example"))
				time.Sleep(6 * 24 * time.Hour)
				stop := run(t, s)
				time.Sleep(time.Minute)
				synctest.Wait()
				counts := map[string]int{}
				for _, one := range c.attempts() {
					counts[one.to[0]]++
				}
				if !maps.Equal(counts, want.counts) {
					t.Errorf("attempts %v, want %v", counts, want.counts)
				}
				empty(t, s)
				stop()
			})
		})
	}
}
