package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// What a load may be at most: beyond that somebody has mistyped, and the machine would rather not try.
const (
	benchSessions  = 10_000
	benchMailboxes = 1_000_000
)

// A benchPlan is what load is asked for.
type benchPlan struct {
	sessions      int
	messages      int64         // 0: as many as there is time for
	duration      time.Duration // 0: until all messages are sent
	rate          float64       // messages per second that are due; 0: the next when the last is done
	perConnection int64         // messages; 0: all
	envelope      client.Message
	mailboxes     []smtp.Recipient
	recipients    int   // of each message
	least, most   int64 // octets of content
}

// newBenchPlan reads the flags of bench but for the addresses. Its errors are of usage.
func newBenchPlan(c *cli.Context) (benchPlan, error) {
	p := benchPlan{
		sessions:      c.Int("sessions"),
		messages:      c.Int64("messages"),
		duration:      c.Duration("duration"),
		rate:          c.Float64("rate"),
		perConnection: c.Int64("per-connection"),
		recipients:    c.Int("recipients"),
		envelope:      client.Message{Body: smtp.Body8Bit, LineEnds: client.AsIs, Chunking: c.Bool("chunking")},
	}
	if !c.IsSet("messages") && !c.IsSet("duration") {
		p.duration = 10 * time.Second
	}
	if err := p.check(c); err != nil {
		return p, err
	}
	least, most, err := parseSizes(c.String("size"))
	if err != nil {
		return p, fmt.Errorf("--size: %w", err)
	}
	p.least, p.most = least, most
	return p, nil
}

// check looks at the numbers.
func (p *benchPlan) check(c *cli.Context) error {
	switch {
	case p.sessions < 1 || p.sessions > benchSessions:
		return fmt.Errorf("--sessions %d: between 1 and %d", p.sessions, benchSessions)
	case c.IsSet("messages") && p.messages < 1:
		return fmt.Errorf("--messages %d: at least 1", p.messages)
	case c.IsSet("duration") && p.duration <= 0:
		return fmt.Errorf("--duration %s: more than nothing", p.duration)
	case c.IsSet("rate") && (!(p.rate > 0) || math.IsInf(p.rate, 0)):
		return fmt.Errorf("--rate %g: more than 0", p.rate)
	case c.IsSet("per-connection") && p.perConnection < 1:
		return fmt.Errorf("--per-connection %d: at least 1", p.perConnection)
	case p.recipients < 1:
		return fmt.Errorf("--recipients %d: at least 1", p.recipients)
	}
	return nil
}

// address reads --from and makes up the mailboxes of --to.
func (p *benchPlan) address(c *cli.Context) error {
	first, last, err := benchNumbers(c)
	if err != nil {
		return usage(c, "%s", err)
	}
	if from := c.String("from"); from != "" && from != "<>" {
		if p.envelope.From, err = parseSendAddress(from, &p.envelope); err != nil {
			return cli.Exit(fmt.Errorf("--from %q: %w", from, err), exDataErr)
		}
	}
	for n := first; n <= last; n++ {
		to, err := parseSendAddress(strings.ReplaceAll(c.String("to"), "%d", strconv.FormatInt(n, 10)), &p.envelope)
		if err != nil {
			return cli.Exit(fmt.Errorf("--to %q: %w", c.String("to"), err), exDataErr)
		}
		p.mailboxes = append(p.mailboxes, smtp.Recipient{To: to})
	}
	if p.recipients > len(p.mailboxes) {
		return usage(c, "--recipients %d: --to and --mailboxes make only %d", p.recipients, len(p.mailboxes))
	}
	return nil
}

// benchNumbers returns which numbers stand for the %d of --to; it is one, and no matter which, if there is no %d.
func benchNumbers(c *cli.Context) (first, last int64, err error) {
	pattern := c.String("to")
	switch {
	case pattern == "":
		return 0, 0, errors.New("--to ADDRESS is missing")
	case strings.Contains(pattern, "%d"):
		if first, last, err = parseNumbers(c.String("mailboxes")); err != nil {
			err = fmt.Errorf("--mailboxes: %w", err)
		}
		return first, last, err
	case c.IsSet("mailboxes"):
		return 0, 0, fmt.Errorf("--mailboxes: there is no %%d in --to %s", pattern)
	}
	return 1, 1, nil
}

// choose picks who a message is for: a mailbox at random and those after it, in a circle. The slice is into p or to.
func (p *benchPlan) choose(rng *rand.Rand, to []smtp.Recipient) []smtp.Recipient {
	first := rng.IntN(len(p.mailboxes))
	if end := first + p.recipients; end <= len(p.mailboxes) {
		return p.mailboxes[first:end]
	}
	to = append(to[:0], p.mailboxes[first:]...)
	return append(to, p.mailboxes[:p.recipients-len(to)]...)
}

// size picks the size of a message.
func (p *benchPlan) size(rng *rand.Rand) int64 { return p.least + rng.Int64N(p.most-p.least+1) }

// dueAt says after what time message number n is due, and whether that is before the end.
func (p *benchPlan) dueAt(n int64) (time.Duration, bool) {
	after := float64(n) / p.rate * float64(time.Second)
	if after >= math.MaxInt64 || p.over(time.Duration(after)) {
		return 0, false
	}
	return time.Duration(after), true
}

// over says whether no message is begun any more after a time.
func (p *benchPlan) over(after time.Duration) bool { return p.duration > 0 && after >= p.duration }

// due returns how many messages are due within a time. Without a rate none ever is.
func (p *benchPlan) due(within time.Duration) int64 {
	n := int64(math.Ceil(within.Seconds() * p.rate))
	if p.messages > 0 {
		n = min(n, p.messages)
	}
	return n
}

// parseSizes reads a size or a range of sizes, such as "10KiB" or "1KiB-1MiB".
func parseSizes(s string) (least, most int64, err error) {
	one, other, ranged := strings.Cut(s, "-")
	if least, err = parseSize(one); err != nil {
		return 0, 0, err
	}
	if most = least; ranged {
		if most, err = parseSize(other); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case least < letterLeast:
		return 0, 0, fmt.Errorf("%q: the header alone takes up to %d octets", s, letterLeast)
	case most < least:
		return 0, 0, fmt.Errorf("%q: the first must be the smaller one", s)
	}
	return least, most, nil
}

// parseNumbers reads how many mailboxes there are, counted from 1, or the range of their numbers: "100" or "0-99".
func parseNumbers(s string) (first, last int64, err error) {
	first = 1
	one, other, ranged := strings.Cut(s, "-")
	if ranged {
		if first, err = strconv.ParseInt(one, 10, 64); err != nil {
			return 0, 0, fmt.Errorf("%q is neither a number nor a range", s)
		}
		one = other
	}
	last, err = strconv.ParseInt(one, 10, 64)
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("%q is neither a number nor a range", s)
	case last < first:
		return 0, 0, fmt.Errorf("%q: that is no mailbox at all", s)
	case last-first >= benchMailboxes:
		return 0, 0, fmt.Errorf("%q: at most %d mailboxes", s, benchMailboxes)
	}
	return first, last, nil
}
