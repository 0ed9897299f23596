package account

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// isQuotaRule says whether an extra field is a rule of the first quota root: userdb_quota_rule, userdb_quota_rule2 …
func isQuotaRule(key string) bool {
	number, ok := strings.CutPrefix(key, "userdb_quota_rule")
	return ok && strings.Trim(number, "0123456789") == ""
}

// addRule takes a rule "MAILBOX:LIMIT=N:LIMIT=N". Only those for the whole mailbox, * and ?, are of interest.
func (q *Quota) addRule(rule string) error {
	mask, limits, ok := strings.Cut(rule, ":")
	if !ok {
		return errors.New("no colon in the rule: it takes one like *:storage=1G")
	}
	if mask != "*" && mask != "?" {
		return nil
	}
	if limits == "ignore" {
		*q = Quota{Unlimited, Unlimited}
		return nil
	}
	for limit := range strings.SplitSeq(limits, ":") {
		name, value, _ := strings.Cut(limit, "=")
		if err := q.setLimit(name, value); err != nil {
			return fmt.Errorf("limit %q: %w", limit, err)
		}
	}
	return nil
}

func (q *Quota) setLimit(name, value string) (err error) {
	switch name {
	case "storage": // RFC 2087 §3 counts in units of 1024 octets, and so does Dovecot
		q.Octets, err = parseLimit(value, 1024)
	case "bytes":
		q.Octets, err = parseLimit(value, 1)
	case "messages":
		q.Messages, err = parseLimit(value, 1)
	default:
		err = errors.New("unknown: it takes storage, bytes or messages")
	}
	return err
}

// parseLimit reads a number with an optional unit, B, k, M, G or T, as in 1G, 1GB and 1GiB, all of them powers of
// 1024; without one it counts in units of bare. As with Dovecot 0 and "unlimited" are no limit.
func parseLimit(text string, bare int64) (int64, error) {
	if text == "unlimited" {
		return Unlimited, nil
	}
	digits := strings.TrimRight(text, "%BbKkMmGgTtIi")
	n, err := strconv.ParseUint(digits, 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return 0, errors.New("too large")
	}
	if err != nil {
		return 0, errors.New("it takes a number of 0 or more with an optional unit: B, k, M, G or T")
	}
	unit, err := parseUnit(text[len(digits):], bare)
	if err != nil {
		return 0, err
	}
	if int64(n) > math.MaxInt64/unit {
		return 0, errors.New("too large")
	}
	if n == 0 {
		return Unlimited, nil
	}
	return int64(n) * unit, nil
}

func parseUnit(text string, bare int64) (int64, error) {
	switch strings.ToUpper(text) {
	case "":
		return bare, nil
	case "B":
		return 1, nil
	case "K", "KB", "KIB":
		return 1 << 10, nil
	case "M", "MB", "MIB":
		return 1 << 20, nil
	case "G", "GB", "GIB":
		return 1 << 30, nil
	case "T", "TB", "TIB":
		return 1 << 40, nil
	case "%":
		return 0, errors.New("a whole mailbox has nothing to take a percentage of")
	}
	return 0, fmt.Errorf("unknown unit %q: it takes B, k, M, G or T", text)
}

// rule is the inverse of addRule; "" says nothing.
func (q Quota) rule() string {
	var limits string
	if q.Octets != 0 {
		limits += ":storage=" + sizeText(max(q.Octets, 0))
	}
	if q.Messages != 0 {
		limits += ":messages=" + strconv.FormatInt(max(q.Messages, 0), 10)
	}
	if limits == "" {
		return ""
	}
	return "*" + limits
}

// sizeText writes octets in the largest unit that divides them.
func sizeText(octets int64) string {
	unit := 0
	for unit < 4 && octets != 0 && octets%1024 == 0 {
		octets /= 1024
		unit++
	}
	return strconv.FormatInt(octets, 10) + "BkMGT"[unit:unit+1]
}
