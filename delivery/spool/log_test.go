package spool

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

// There is one line for each recipient and attempt, that tells all.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
			time.Sleep(1500 * time.Millisecond)
			o := Outcome{Reply: smtp.Reply{Code: 250, Status: "2.0", Text: "Queued"}, Server: "mx.example"}
			switch m.Recipients[0].To.Local {
			case "relayed":
				o.Fate = Relayed
			case "passed":
				o.Fate = PassedOn
			case "local":
				o = Outcome{Fate: Delivered}
			case "bounced":
				o.Fate, o.Reply = Bounced, refused
			case "doubt":
				o = Outcome{Fate: Unknown, Cause: errors.New("connection lost")}
			case "down":
				return nil, errors.New("connection refused")
			case "panics":
				panic("x")
			case "short":
				return nil, nil
			}
			return []Outcome{o}, nil
		}
		cfg, book := config(tempPath(t), c), &logBook{}
		cfg.Log = book.log()
		s := open(t, cfg)
		stop := run(t, s)
		m := mail("ann@here.example", "", "relayed@a.example", "passed@b.example", "local@c.example", "bounced@d.example", "doubt@e.example", "down@f.example",
			"panics@g.example", "short@h.example")
		for i := range m.Envelope.Recipients {
			m.Envelope.Recipients[i].Notify = smtp.NotifyNever
		}
		m.Envelope.Account = "ann"
		id := put(t, s, m)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		text := book.String()
		for to, want := range map[string]string{
			"relayed@a.example": `level=INFO msg=attempt id=` + id + ` from=<ann@here.example> to=<relayed@a.example> destination=a.example size=13 delay=1.5 delays=0/1.5 attempt=1 dsn=2.2.0 status=relayed account=ann server=mx.example reply="250 2.2.0 Queued"`,
			"passed@b.example":  `level=INFO .* status=relayed `,
			"local@c.example":   `level=DEBUG .* dsn="" status=delivered account=ann$`,
			"bounced@d.example": `level=INFO .* dsn=5.1.1 status=bounced .* reply="550 5.1.1 No such user"`,
			"doubt@e.example":   `level=WARN .* status=deferred .* twice=true cause="connection lost"`,
			"down@f.example":    `level=WARN .* status=deferred .* cause="connection refused"`,
			"panics@g.example":  `level=WARN .* status=deferred .* cause="panic: x"`,
			"short@h.example":   `level=WARN .* status=deferred .* cause="0 outcomes for 1 recipients"`,
		} {
			n := 0
			for line := range strings.Lines(text) {
				if strings.Contains(line, "<"+to+">") {
					n++
					if ok, err := regexp.MatchString(want, strings.TrimSpace(line)); err != nil || !ok {
						t.Errorf("%s has %s, want %s", to, line, want)
					}
				}
			}
			if n != 1 {
				t.Errorf("%d lines for %s", n, to)
			}
		}
		stop()
	})
}
