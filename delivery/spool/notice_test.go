package spool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

var (
	refused = smtp.Reply{Code: 550, Status: "1.1", Text: "No such user"}
	later   = smtp.Reply{Code: 450, Status: "2.0", Text: "Later"}
)

// Who is told what after an attempt (RFC 3461 §4.1, §5.2).
func TestNotices(t *testing.T) {
	for _, tt := range []struct {
		name   string
		from   string
		notify smtp.Notify
		fate   Fate
		want   string // to whom and what; "": nothing
	}{
		{"bounced", "ann@here.example", 0, Bounced, "ann@here.example failed <bob@a.example> 550 5.1.1 No such user"},
		{"bounced, FAILURE", "ann@here.example", smtp.NotifyFailure, Bounced, "ann@here.example failed <bob@a.example> 550 5.1.1 No such user"},
		{"bounced, SUCCESS", "ann@here.example", smtp.NotifySuccess, Bounced, ""},
		{"bounced, NEVER", "ann@here.example", smtp.NotifyNever, Bounced, ""},
		{"bounced, null", "", 0, Bounced, "postmaster@here.example failed <bob@a.example> 550 5.1.1 No such user"},
		{"bounced, null, NEVER", "", smtp.NotifyNever, Bounced, "postmaster@here.example failed <bob@a.example> 550 5.1.1 No such user"},
		{"delivered", "ann@here.example", 0, Delivered, ""},
		{"delivered, SUCCESS", "ann@here.example", smtp.NotifySuccess, Delivered, "ann@here.example delivered <bob@a.example> 550 5.1.1 No such user"},
		{"delivered, null, SUCCESS", "", smtp.NotifySuccess, Delivered, ""},
		{"relayed, SUCCESS", "ann@here.example", smtp.NotifySuccess, Relayed, "ann@here.example relayed <bob@a.example> 550 5.1.1 No such user"},
		{"relayed, FAILURE", "ann@here.example", smtp.NotifyFailure, Relayed, ""},
		{"passed on, SUCCESS", "ann@here.example", smtp.NotifySuccess, PassedOn, ""},
		{"expanded, SUCCESS", "ann@here.example", smtp.NotifySuccess, Expanded, "ann@here.example expanded <bob@a.example> 550 5.1.1 No such user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &carrier{}
				c.answer = func(_ context.Context, name string, m *Message) ([]Outcome, error) {
					if name == "here.example" {
						return all(m, Delivered, smtp.Reply{}), nil
					}
					return all(m, tt.fate, refused), nil
				}
				s := open(t, config(tempPath(t), c))
				stop := run(t, s)
				m := mail(tt.from, "x", "bob@a.example")
				m.Envelope.Recipients[0].Notify = tt.notify
				id := put(t, s, m)
				synctest.Wait()
				list := c.attempts()
				got := ""
				if len(list) > 1 {
					if list[1].from != (smtp.Path{}) {
						t.Errorf("a notification has the reverse-path %v", list[1].from)
					}
					got = list[1].to[0] + strings.TrimPrefix(strings.ReplaceAll(list[1].content, "\r\n", " "), "report of "+id)
				}
				if got != tt.want || len(list) > 2 {
					t.Errorf("got %q, want %q (%d attempts)", got, tt.want, len(list))
				}
				empty(t, s)
				stop()
			})
		})
	}
}

// What bounces and was told to the postmaster, and bounces there, is told to nobody.
func TestDoubleBounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) { return all(m, Bounced, refused), nil }
		cfg, book := config(tempPath(t), c), &logBook{}
		cfg.Log = book.log()
		s := open(t, cfg)
		stop := run(t, s)
		put(t, s, mail("ann@gone.example", "x", "bob@a.example"))
		synctest.Wait()
		var to []string
		for _, one := range c.attempts() {
			to = append(to, one.to...)
		}
		if want := []string{"bob@a.example", "ann@gone.example", "postmaster@here.example"}; !slices.Equal(to, want) {
			t.Errorf("attempts for %q, want %q", to, want)
		}
		if n := book.lines("a bounce that bounces is dropped"); n != 1 {
			t.Errorf("%d lines tell that it is dropped:\n%s", n, book)
		}
		empty(t, s)
		stop()
	})
}

// So it is where the postmaster is an alias that leads elsewhere, and its mail is refused there: else that would never end.
func TestDoubleBounceElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		var s *Spool
		c.answer = func(ctx context.Context, _ string, m *Message) ([]Outcome, error) {
			if m.Recipients[0].To.String() != "postmaster@here.example" || len(c.attempts()) > 10 {
				return all(m, Bounced, refused), nil
			}
			on := mail("", "x", "eve@elsewhere.example")
			on.Envelope.Recipients[0].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "Postmaster@here.example"}
			return all(m, PassedOn, smtp.Reply{}), s.Put(ctx, on)
		}
		s = open(t, config(tempPath(t), c))
		stop := run(t, s)
		put(t, s, mail("", "x", "bob@a.example"))
		synctest.Wait()
		if n := len(c.attempts()); n != 3 {
			t.Errorf("%d attempts, not one each for bob, the postmaster and eve", n)
		}
		empty(t, s)
		stop()
	})
}

// A report that somebody else owes is sent like any notification.
func TestNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		cfg := config(tempPath(t), c)
		s := open(t, cfg)
		stop := run(t, s)
		r := dsn.Report{ID: "x1", From: path("ann@a.example"), Recipients: []dsn.Recipient{{Recipient: smtp.Recipient{To: path("bob@here.example")}, Action: dsn.Delivered}}}
		if err := s.Notify(t.Context(), r); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if list := c.attempts(); len(list) != 1 || list[0].to[0] != "ann@a.example" || !list[0].from.IsNull() || !strings.Contains(list[0].content, "delivered <bob@here.example>") {
			t.Errorf("attempts: %+v", list)
		}
		s.cfg.Report = func(dsn.Report) (Mail, error) { return Mail{}, errFault }
		if err := s.Notify(t.Context(), r); !errors.Is(err, errFault) {
			t.Errorf("got %v", err)
		}
		stop()
	})
}

// Recipients that have come to the same share a notification, and those that wait are attempted again alone.
func TestMixed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(_ context.Context, name string, m *Message) (list []Outcome, _ error) {
			for _, to := range m.Recipients {
				o := Outcome{Fate: Delivered}
				switch to.To.Local[0] {
				case 'b':
					o = Outcome{Fate: Bounced, Reply: refused}
				case 'd':
					if o = (Outcome{Fate: Deferred, Reply: later}); len(m.Recipients) == 1 {
						o = Outcome{Fate: Delivered}
					}
				}
				list = append(list, o)
			}
			return list, nil
		}
		s := open(t, config(tempPath(t), c))
		stop := run(t, s)
		put(t, s, mail("ann@here.example", "x", "b1@a.example", "x@a.example", "d@a.example", "b2@a.example"))
		synctest.Wait()
		list := c.attempts()
		if len(list) != 2 || strings.Count(list[1].content, "failed") != 2 {
			t.Fatalf("attempts: %+v", list)
		}
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if list = c.attempts(); len(list) != 3 || !slices.Equal(list[2].to, []string{"d@a.example"}) {
			t.Errorf("attempts: %+v", list)
		}
		empty(t, s)
		stop()
	})
}

// A message whose content is damaged is attempted like any other, and the sender is told at last, without it.
func TestDamagedContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		tried := 0
		cfg, book := config(tempPath(t), c), &logBook{}
		cfg.DelayAfter, cfg.Life, cfg.Log = -1, time.Hour, book.log()
		cfg.Transport = transport{c, func(m *Message) error {
			_, err := readPart(m.Content, 0, m.Content.Size())
			if err != nil {
				tried++
			}
			return err
		}}
		cfg.Report = func(r dsn.Report) (Mail, error) {
			if _, err := readPart(r.Content, 0, r.Content.Size()); err != nil {
				return Mail{}, err
			}
			return report(r)
		}
		s := open(t, cfg)
		put(t, s, mail("ann@here.example", "x", "bob@a.example"))
		if err := s.writer.change(0, func(t *tx) error { _, err := t.exec("tear", "DELETE FROM chunk"); return err }); err != nil {
			t.Fatal(err)
		}
		stop := run(t, s)
		time.Sleep(62 * time.Minute)
		synctest.Wait()
		list := c.attempts()
		if tried != 4 || len(list) != 1 || list[0].to[0] != "ann@here.example" || book.lines("a notification is without the message") != 1 {
			t.Errorf("%d attempts, then %+v", tried, list)
		}
		empty(t, s)
		stop()
	})
}

// A transport defers what check has something against.
type transport struct {
	*carrier
	check func(*Message) error
}

func (t transport) Attempt(ctx context.Context, name string, m *Message) ([]Outcome, error) {
	if err := t.check(m); err != nil {
		return []Outcome{{Cause: err}}, nil
	}
	return t.carrier.Attempt(ctx, name, m)
}

// A notification that cannot be written is told to the log, and keeps nothing from leaving.
func TestNoticeFails(t *testing.T) {
	for _, how := range []string{"error", "panic"} {
		synctest.Test(t, func(t *testing.T) {
			c := &carrier{}
			c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) { return all(m, Bounced, refused), nil }
			cfg, book := config(tempPath(t), c), &logBook{}
			cfg.Log = book.log()
			cfg.Report = func(dsn.Report) (Mail, error) {
				if how == "panic" {
					panic("x")
				}
				return Mail{}, errors.New("x")
			}
			s := open(t, cfg)
			stop := run(t, s)
			put(t, s, mail("ann@here.example", "x", "bob@a.example"))
			synctest.Wait()
			if book.lines("a notification cannot be written") != 1 {
				t.Errorf("%s: the log has\n%s", how, book)
			}
			empty(t, s)
			stop()
		})
	}
}
