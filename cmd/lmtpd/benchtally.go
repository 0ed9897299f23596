package main

import (
	"errors"
	"regexp"
	"sync"
	"time"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// benchKinds is how many different replies or errors are told apart. A server may say something new every time.
const benchKinds = 100

// benchCounts is what a load has seen until now.
type benchCounts struct {
	begun     int64
	messages  int64 // that the server took for a recipient at least
	octets    int64 // of the content of these
	delivered int64 // recipients, as the others
	deferred  int64
	refused   int64
	unknown   int64 // the connection was lost before the reply
	notSent   int64
}

// failed is how many recipients have not got their message.
func (n benchCounts) failed() int64 { return n.deferred + n.refused + n.unknown + n.notSent }

// A benchTally counts what a load sees. It is for many goroutines at once.
type benchTally struct {
	mu        sync.Mutex
	counts    benchCounts
	latency   histogram // of the messages that are counted as such
	replies   map[smtp.Reply]int64
	errors    map[string]int64
	permanent bool // a server would not even talk
}

func newBenchTally() *benchTally {
	return &benchTally{replies: map[smtp.Reply]int64{}, errors: map[string]int64{}}
}

// begin counts a message before anything is known about it.
func (t *benchTally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.begun++
}

// end counts what became of a message of so many octets, and after what time.
func (t *benchTally) end(results []client.Result, octets int64, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.counts.delivered
	for _, r := range results {
		t.result(r)
	}
	if t.counts.delivered > before {
		t.counts.messages++
		t.counts.octets += octets
		t.latency.add(took)
	}
}

func (t *benchTally) result(r client.Result) {
	n := &t.counts
	switch {
	case r.Outcome == client.NotSent:
		n.notSent++
		return
	case r.Outcome == client.Unknown:
		n.unknown++
		return
	case r.Delivered():
		n.delivered++
	case r.Reply.Permanent():
		n.refused++
	default:
		n.deferred++
	}
	if r.Reply.Code != 250 {
		t.reply(r.Reply)
	}
}

// reply counts a reply other than 250. The address in it is left out, since everybody has another.
func (t *benchTally) reply(r smtp.Reply) {
	r.Text = quotedPath.ReplaceAllLiteralString(r.Text, "<...>")
	if _, known := t.replies[r]; !known && len(t.replies) >= benchKinds {
		r = smtp.Reply{Code: r.Code, Text: "(and other words)"}
	}
	t.replies[r]++
}

var quotedPath = regexp.MustCompile(`<[^<>]*>`)

// fail counts an error of a connection.
func (t *benchTally) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.permanent = t.permanent || isUseless(err) || isRefused(err)
	text := err.Error()
	if _, known := t.errors[text]; !known && len(t.errors) >= benchKinds {
		text = "other errors"
	}
	t.errors[text]++
}

// isRefused says whether an error is a server's refusal for good.
func isRefused(err error) bool {
	refusal, is := errors.AsType[smtp.Reply](err)
	return is && refusal.Permanent()
}

// now returns the counts and what the latency of most messages was.
func (t *benchTally) now() (benchCounts, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts, t.latency.quantile(0.99)
}
