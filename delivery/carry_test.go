package delivery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// What comes from the queue has its Received, and is told apart by what becomes of it.
func TestCarry(t *testing.T) {
	h, q := queueHost(t)
	h.store.Fault = func(op storetest.Op, mailbox string) error {
		if mailbox == "full@example.org" {
			return store.ErrOverQuota
		}
		return nil
	}
	env := envelope("ann@example.org", "away@example.org", "both@example.org", "full@example.org", "nobody@example.org", "eve@elsewhere.example")
	for i := range env.Recipients {
		env.Recipients[i].Notify = smtp.NotifySuccess
	}
	content := "Received: from here\r\n" + letter
	var got []string
	for _, c := range h.Carry(t.Context(), delivery.Parcel{Envelope: env, Content: strings.NewReader(content)}) {
		got = append(got, fmt.Sprint(c.Reply.Code, " ", c.Fate))
	}
	want := []string{"250 0", "250 1", "250 2", "452 0", "550 0", "550 0"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if kept := h.store.All("ann@example.org", ""); len(kept) != 1 || kept[0] != "Return-Path: <bob@example.com>\r\nDelivered-To: ann@example.org\r\n"+content {
		t.Errorf("kept %q", kept)
	}
	if len(q.put) != 2 || !strings.HasSuffix(q.put[0], "\n\nDelivered-To: away@example.org\r\n"+content) {
		t.Errorf("in the queue %q", q.put)
	}
	if len(q.reports) != 0 {
		t.Error("who has queued it notifies")
	}
	if !h.Local(smtp.Path{Local: "x", Domain: "EXAMPLE.org"}) || h.Local(smtp.Path{Local: "x", Domain: "elsewhere.example"}) {
		t.Error("local is not what it should be")
	}
}

// What was cut off in the middle is not delivered again to those who have it.
func TestCarryCutOff(t *testing.T) {
	h, _ := queueHost(t)
	content := "Received: from here\r\n\tby mail.example.org with ESMTPA id %s\r\n\tfor <x>; now\r\n" + letter
	carry := func(id string, doubt delivery.Doubt) {
		t.Helper()
		env := envelope("ann@example.org", "away@example.org")
		env.ID = id
		p := delivery.Parcel{Envelope: env, Content: strings.NewReader(fmt.Sprintf(content, id)), Arrived: noon, Doubt: doubt}
		for i, c := range h.Carry(t.Context(), p) {
			if !c.Reply.Positive() {
				t.Errorf("recipient %d: %s", i, c.Reply)
			}
		}
	}
	for i, step := range []struct {
		id    string
		doubt delivery.Doubt
		want  int
	}{{"A", delivery.CutOff, 1}, {"A", delivery.CutOff, 1}, {"AA", delivery.CutOff, 2}, {"A", delivery.Fresh, 3}, {"AA", delivery.CutOff, 3}} {
		if carry(step.id, step.doubt); len(h.store.All("ann@example.org", "")) != step.want {
			t.Errorf("step %d: %d messages", i, len(h.store.All("ann@example.org", "")))
		}
	}
}

// Whoever has one of several copies, or may have his, does not get another because the daemon was started anew in between.
func TestCarryPartly(t *testing.T) {
	for _, tt := range []struct {
		to    string
		err   error
		doubt delivery.Doubt
	}{
		{"pair@example.org", store.ErrFull, delivery.CutOff},
		{"full@example.org", store.ErrFull, delivery.Fresh},
		{"full@example.org", store.ErrOverQuota, delivery.Fresh},
		{"full@example.org", errors.New("sync failed"), delivery.CutOff},
	} {
		h, _ := queueHost(t)
		env := envelope(tt.to)
		env.ID = "A"
		p := delivery.Parcel{
			Envelope: env, Arrived: noon, Content: strings.NewReader("Received: from here\r\n\tby mail.example.org with ESMTPA id A;\r\n\tnow\r\n" + letter),
		}
		h.store.Fault = func(op storetest.Op, mailbox string) error {
			if op == storetest.OpDeliver && mailbox == "full@example.org" {
				return tt.err
			}
			return nil
		}
		first := h.Carry(t.Context(), p)[0]
		if !first.Reply.Transient() || first.Doubt != tt.doubt {
			t.Errorf("%s, %v: %s, doubt %d", tt.to, tt.err, first.Reply, first.Doubt)
		}
		h.store.Fault = nil
		again, _ := queueHost(t, func(c *delivery.Config) { c.Blocks[0].Store = h.store })
		p.Doubt = first.Doubt
		if second := again.Carry(t.Context(), p)[0]; !second.Reply.Positive() {
			t.Errorf("%s, %v: %s", tt.to, tt.err, second.Reply)
		}
		for _, mailbox := range []string{"ann@example.org", "full@example.org"} {
			if n := len(h.store.All(mailbox, "")); n > 1 {
				t.Errorf("%s, %v: %s has %d copies", tt.to, tt.err, mailbox, n)
			}
		}
	}
}

// A mailbox that is busy is waited for, as long as that is worth it.
func TestCarryBusy(t *testing.T) {
	for tries, want := range map[int]string{3: "250", 1_000_000: "451"} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := queueHost(t)
			asked := 0
			h.store.Fault = func(op storetest.Op, mailbox string) error {
				if op == storetest.OpDeliver && mailbox == "full@example.org" {
					if asked++; asked <= tries {
						return store.ErrBusy
					}
				}
				return nil
			}
			began := time.Now()
			env := envelope("ann@example.org", "full@example.org")
			all := h.Carry(t.Context(), delivery.Parcel{Envelope: env, Content: strings.NewReader("Received: from here\r\n" + letter), Arrived: noon})
			if got := all[1].Reply.String(); !strings.HasPrefix(got, want) || !all[0].Reply.Positive() {
				t.Errorf("busy %d times: %s and %s, want %s", tries, all[0].Reply, got, want)
			}
			if waited := time.Since(began); waited > 30*time.Second || asked < 3 {
				t.Errorf("waited %s, asked %d times", waited, asked)
			}
			if n := len(h.store.All("ann@example.org", "")); n != 1 {
				t.Errorf("ann has %d copies", n)
			}
		})
	}
}

// What was sent on, while another target was deferred, is sent on again by a daemon that was started anew, and the log tells.
func TestCarrySentOn(t *testing.T) {
	h, _ := queueHost(t)
	env := envelope("both@example.org")
	p := delivery.Parcel{Envelope: env, Content: strings.NewReader("Received: from here\r\n" + letter), Arrived: noon}
	h.store.Fault = func(op storetest.Op, _ string) error {
		if op == storetest.OpDeliver {
			return store.ErrFull
		}
		return nil
	}
	first := h.Carry(t.Context(), p)[0]
	if !first.Reply.Transient() || first.Doubt != delivery.CutOff {
		t.Errorf("%s, doubt %d", first.Reply, first.Doubt)
	}
	p.Doubt = first.Doubt
	if h.Carry(t.Context(), p); strings.Contains(h.log.String(), "may come twice") {
		t.Error("who remembers has sent it on again")
	}
	again, q := queueHost(t)
	if second := again.Carry(t.Context(), p)[0]; !second.Reply.Positive() || len(q.put) != 1 || !strings.Contains(again.log.String(), "may come twice") {
		t.Errorf("%s, %d in the queue, log %s", second.Reply, len(q.put), again.log.String())
	}
}
