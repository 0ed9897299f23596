package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"lmtpd/protocol/smtp"
)

// A Queue says how mail is kept and tried that is submitted or sent on, until it is where it is meant to be.
type Queue struct {
	Lifetime    time.Duration   // 5d, then it bounces
	WarnAfter   time.Duration   // 4h, then its sender hears that it waits
	Retry       []time.Duration // 5m, 15m, 30m from one attempt to the next; then twice as long each time
	RetryMax    time.Duration   // 4h at most from one attempt to the next
	Concurrency int             // 20 attempts at once for one destination
	Postmaster  smtp.Path       // postmaster at the first domain: who has notifications that cannot be delivered
}

func defaultQueue() Queue {
	return Queue{
		Lifetime:    5 * 24 * time.Hour,
		WarnAfter:   4 * time.Hour,
		Retry:       []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute},
		RetryMax:    4 * time.Hour,
		Concurrency: 20,
	}
}

func readQueue(q *Queue, t *table) {
	field(t, "lifetime", &q.Lifetime, parseDuration)
	field(t, "warn_after", &q.WarnAfter, parseDuration)
	if t.has("retry") {
		q.Retry = nil
		fields(t, "retry", parseDuration, func(d time.Duration, _ position) { q.Retry = append(q.Retry, d) })
	}
	field(t, "retry_max", &q.RetryMax, parseDuration)
	t.count("concurrency", &q.Concurrency)
	field(t, "postmaster", &q.Postmaster, parseMailbox)
	if t.has("retry") && len(q.Retry) == 0 {
		t.report.add(t.where("retry"), "retry: no time from one attempt to the next")
	}
	t.done()
}

func parseMailbox(s string) (smtp.Path, error) {
	p, err := smtp.ParseMailbox(s, smtp.UTF8)
	if err != nil {
		return p, fmt.Errorf("%q is not an address", s)
	}
	return p, nil
}

// queue tells how long mail waits.
func (p printer) queue(cfg *Config) {
	q := cfg.Queue
	p.line("queue", "mail that is submitted, or sent on because of an alias, waits in "+spoolPath(cfg.Data))
	var retry []string
	for _, d := range q.Retry {
		retry = append(retry, d.String())
	}
	p.line("  attempts", fmt.Sprintf("at once, then after %s, then at twice the distance, up to %s; %d at once for one destination",
		strings.Join(retry, ", "), q.RetryMax, q.Concurrency))
	p.line("  lifetime", fmt.Sprintf("%s, then it is returned; its sender hears after %s that it waits", q.Lifetime, q.WarnAfter))
	p.line("  postmaster", q.Postmaster.String()+" has what cannot be returned")
}

// spoolPath is where the queue is.
func spoolPath(data string) string { return filepath.Join(data, "spool.db") }
