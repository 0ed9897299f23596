package relay

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lmtpd/delivery/spool"
	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// maxRecipients is how many recipients there are in one transaction at most: as many as every server has to take
// (RFC 5321 §4.5.3.1.8).
const maxRecipients = 100

// What is said of a message without asking a server whose extensions tell that it would refuse.
var (
	tooBig    = smtp.Reply{Code: 552, Status: smtp.StatusTooBig, Text: "Message is larger than the next server takes"}          // RFC 1870 §5
	notUTF8   = smtp.Reply{Code: 553, Status: smtp.StatusNonASCII, Text: "Address needs SMTPUTF8, which the next server lacks"} // RFC 6531 §3.5
	fromUTF8  = smtp.Reply{Code: 550, Status: smtp.StatusNonASCII, Text: "Reverse-path needs SMTPUTF8, which the next server lacks"}
	headUTF8  = smtp.Reply{Code: 550, Status: statusHeader, Text: "Header needs SMTPUTF8, which the next server lacks"}
	notBinary = smtp.Reply{Code: 554, Status: statusConversion, Text: "Message needs BINARYMIME, which the next server lacks"} // RFC 3030 §3
)

const (
	statusConversion smtp.Status = "6.3" // conversion required but not supported (RFC 3463 §3.7)
	statusHeader     smtp.Status = "6.9" // UTF-8 header message cannot be transferred (RFC 6531 §4.5)
)

// An attempt is a message on its way to some recipients.
type attempt struct {
	m        *spool.Message
	outcomes []spool.Outcome
	waiting  []int // numbers of the recipients that have no outcome yet
}

func newAttempt(m *spool.Message) *attempt {
	a := &attempt{m: m, outcomes: make([]spool.Outcome, len(m.Recipients)), waiting: make([]int, len(m.Recipients))}
	for i := range a.waiting {
		a.waiting[i] = i
	}
	return a
}

// begun says whether anybody has an outcome.
func (a *attempt) begun() bool { return len(a.waiting) < len(a.outcomes) }

// settle gives one outcome to those of the waiting that are meant.
func (a *attempt) settle(o spool.Outcome, meant func(number int) bool) {
	a.waiting = slices.DeleteFunc(a.waiting, func(i int) bool {
		if !meant(i) {
			return false
		}
		a.outcomes[i] = o
		return true
	})
}

func everybody(int) bool { return true }

// judge bounces what a server that offers these extensions can never take. nil tells nothing.
func (a *attempt) judge(offers client.Extensions) error {
	if offers == nil {
		return nil
	}
	if most, err := strconv.ParseInt(offers["SIZE"], 10, 64); err == nil && most > 0 && a.m.Content.Size() > most {
		a.settle(spool.Outcome{Fate: spool.Bounced, Reply: tooBig}, everybody)
	}
	if a.m.Body == smtp.BodyBinary && !(offers.Has("BINARYMIME") && offers.Has("CHUNKING")) {
		a.settle(spool.Outcome{Fate: spool.Bounced, Reply: notBinary}, everybody)
	}
	if offers.Has("SMTPUTF8") || len(a.waiting) == 0 {
		return nil
	}
	return a.judgeASCII()
}

// judgeASCII bounces what cannot go without SMTPUTF8. That a message came with it tells only that its client always says so.
func (a *attempt) judgeASCII() error {
	if !a.m.From.ASCII() {
		a.settle(spool.Outcome{Fate: spool.Bounced, Reply: fromUTF8}, everybody)
		return nil
	}
	a.settle(spool.Outcome{Fate: spool.Bounced, Reply: notUTF8}, func(i int) bool { return !a.m.Recipients[i].To.ASCII() })
	if a.m.UTF8 != smtp.UTF8 || len(a.waiting) == 0 {
		return nil
	}
	ascii, err := asciiHeader(a.m.Content)
	if err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	if !ascii {
		a.settle(spool.Outcome{Fate: spool.Bounced, Reply: headUTF8}, everybody)
	}
	return nil
}

// batch returns the numbers of those that go in the next transaction.
func (a *attempt) batch(offers client.Extensions) []int {
	return a.waiting[:min(len(a.waiting), recipientsAtOnce(offers))]
}

// recipientsAtOnce is how many recipients a server takes in one transaction. More than RCPTMAX (RFC 9422 §4.2) would be refused.
func recipientsAtOnce(offers client.Extensions) int {
	for limit := range strings.FieldsSeq(strings.ToUpper(offers["LIMITS"])) {
		if n, err := strconv.Atoi(strings.TrimPrefix(limit, "RCPTMAX=")); err == nil && n > 0 {
			return min(n, maxRecipients)
		}
	}
	return maxRecipients
}

// message is what a client sends to some of the recipients.
func (a *attempt) message(batch []int, offers client.Extensions) client.Message {
	m := client.Message{
		From:    a.m.From,
		Content: newWireReader(io.NewSectionReader(a.m.Content, 0, a.m.Content.Size())),
		Size:    a.m.Content.Size(),
		Body:    a.m.Body,
		UTF8:    a.m.UTF8,
		Ret:     a.m.Ret,
		EnvID:   a.m.EnvID,
	}
	if a.m.Body == smtp.BodyBinary { // it goes in chunks, where no line end means anything
		m.Content, m.LineEnds = io.NewSectionReader(a.m.Content, 0, a.m.Content.Size()), client.AsIs
	}
	needed := !a.m.From.ASCII()
	for _, i := range batch {
		m.Recipients = append(m.Recipients, a.m.Recipients[i])
		needed = needed || !a.m.Recipients[i].To.ASCII()
	}
	switch {
	case needed:
		m.UTF8 = smtp.UTF8
	case offers != nil && !offers.Has("SMTPUTF8"):
		m.UTF8 = smtp.ASCII // see judge
	}
	return m
}

// take keeps what a server has said of a batch. Those that were too many for the transaction go on waiting, if it has got rid of
// others.
func (a *attempt) take(batch []int, results []client.Result, as func(client.Result) spool.Outcome) {
	taken := slices.ContainsFunc(results, client.Result.Delivered)
	again := make([]int, 0, len(a.waiting))
	for n, i := range batch {
		if taken && tooMany(results[n]) {
			again = append(again, i)
			continue
		}
		a.outcomes[i] = as(results[n])
	}
	a.waiting = append(again, a.waiting[len(batch):]...)
}
