package maildir

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lmtpd/store"
)

const (
	// countFile is where Maildir++ keeps count, in the mailbox's own directory. Its first line has the limits
	// ("1000000S,100C"), the second what the mailbox held when it was counted ("81920 12"), each further one a change
	// ("-4096 -1"): octets as they lie on the disk, and messages.
	countFile = "maildirsize"
	// maxCountFile is how long the file may become. A longer one is counted anew.
	maxCountFile = 5120
	// countStale is how old a count may be to be believed when it says that a mailbox is full.
	countStale = 15 * time.Minute
)

// errUncounted says that no file tells what a mailbox holds, or none that can be believed.
var errUncounted = errors.New("to be counted anew")

// A count is what a maildirsize says.
type count struct {
	limits  store.Usage
	used    store.Usage
	changes int // since it was counted
}

// parseCount reads a maildirsize. Others write into it too, and so does the owner of the mailbox: whatever is odd about it,
// the mailbox is counted anew.
func parseCount(b []byte) (c count, err error) {
	if len(b) > maxCountFile {
		return c, fmt.Errorf("%w: more than %d octets", errUncounted, maxCountFile)
	}
	text, whole := bytes.CutSuffix(b, []byte{'\n'})
	if !whole {
		return c, fmt.Errorf("%w: its last line is cut off", errUncounted)
	}
	limits, sums, _ := strings.Cut(string(text), "\n")
	if c.limits, err = parseLimits(limits); err != nil {
		return c, err
	}
	c.changes = -1
	for line := range strings.SplitSeq(sums, "\n") {
		u, err := parseSum(line)
		if err != nil {
			return c, err
		}
		c.used = plus(c.used, u)
		c.changes++
	}
	if c.used.Octets < 0 || c.used.Messages < 0 || c.used.Octets == math.MaxInt64 {
		return c, fmt.Errorf("%w: %d octets in %d messages", errUncounted, c.used.Octets, c.used.Messages)
	}
	return c, nil
}

// parseLimits reads the first line. No limit may be written as 0, too.
func parseLimits(line string) (limits store.Usage, err error) {
	for field := range strings.SplitSeq(line, ",") {
		number, unit := field, ""
		if field != "" {
			number, unit = field[:len(field)-1], field[len(field)-1:]
		}
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case err == nil && n >= 0 && unit == "S":
			limits.Octets = n
		case err == nil && n >= 0 && unit == "C":
			limits.Messages = n
		default:
			return limits, fmt.Errorf("%w: %q are no limits", errUncounted, line)
		}
	}
	return limits, nil
}

// parseSum reads a line of octets and messages.
func parseSum(line string) (u store.Usage, err error) {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return u, fmt.Errorf("%w: %q is no sum", errUncounted, line)
	}
	var octets, messages error
	u.Octets, octets = strconv.ParseInt(fields[0], 10, 64)
	u.Messages, messages = strconv.ParseInt(fields[1], 10, 64)
	if octets != nil || messages != nil {
		return u, fmt.Errorf("%w: %q is no sum", errUncounted, line)
	}
	return u, nil
}

// plus adds up without going over: names and lines that strangers wrote may tell any size.
func plus(a, b store.Usage) store.Usage {
	return store.Usage{Octets: sum(a.Octets, b.Octets), Messages: sum(a.Messages, b.Messages)}
}

func sum(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

// limitsLine is the first line of a maildirsize, as Dovecot writes it: what is not limited is left out.
func limitsLine(q store.Quota) string {
	var limits []string
	if q.Octets > 0 {
		limits = append(limits, strconv.FormatInt(q.Octets, 10)+"S")
	}
	if q.Messages > 0 {
		limits = append(limits, strconv.FormatInt(q.Messages, 10)+"C")
	}
	return strings.Join(limits, ",") + "\n"
}

// sumLine is one of the others.
func sumLine(u store.Usage) string {
	return strconv.FormatInt(u.Octets, 10) + " " + strconv.FormatInt(u.Messages, 10) + "\n"
}
