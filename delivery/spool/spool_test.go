package spool

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

// A message is attempted at once, once for each destination, and leaves with its content.
func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		s := open(t, config(tempPath(t), c))
		stop := run(t, s)
		begun := time.Now()
		id := put(t, s, mail("ann@here.example", "Subject: x\r\n\r\nHello\r\n", "bob@a.example", "cid@b.example", "dan@a.example"))
		synctest.Wait()
		if !time.Now().Equal(begun) {
			t.Error("it took time")
		}
		got := c.calls()
		slices.Sort(got)
		if want := []string{"a.example " + id + " bob@a.example,dan@a.example", "b.example " + id + " cid@b.example"}; !slices.Equal(got, want) {
			t.Errorf("attempts %q, want %q", got, want)
		}
		for _, one := range c.attempts() {
			if one.content != "Received: x\r\nSubject: x\r\n\r\nHello\r\n" || one.from != path("ann@here.example") {
				t.Errorf("carried: %+v", one)
			}
		}
		empty(t, s)
		stop()
	})
}

// What is deferred is attempted again after 5, 15 and 30 minutes, an hour, and then every two.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
			if len(c.attempts()) < 7 {
				return all(m, Deferred, smtp.Reply{Code: 450, Status: "2.0", Text: "Later"}), nil
			}
			return all(m, Delivered, smtp.Reply{}), nil
		}
		cfg := config(tempPath(t), c)
		cfg.DelayAfter = -1
		s := open(t, cfg)
		stop := run(t, s)
		put(t, s, mail("ann@here.example", "x", "bob@a.example"))
		time.Sleep(9 * time.Hour)
		synctest.Wait()
		list := c.attempts()
		want := []time.Duration{5, 15, 30, 60, 120, 120}
		if len(list) != 7 {
			t.Fatalf("%d attempts", len(list))
		}
		for i, pause := range want {
			pause *= time.Minute
			got := list[i+1].at.Sub(list[i].at)
			if got < pause-pause/10-time.Second || got > pause+pause/10+time.Second {
				t.Errorf("pause %d is %v, want %v", i, got, pause)
			}
		}
		empty(t, s)
		stop()
	})
}
