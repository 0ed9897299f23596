package srs

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"strings"
	"time"

	"lmtpd/protocol/smtp"
)

// hashLength is that of libsrs2: more would make long addresses, and a wrong one costs a guesser a bounced message each.
const hashLength = 4

// hash is the start of the HMAC of strings, which mail hosts on the way may have changed the case of.
func hash(secret string, s ...string) string {
	h := hmac.New(sha1.New, []byte(secret))
	for _, s := range s {
		io.WriteString(h, lower(s))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))[:hashLength]
}

// verify says whether a hash of strings was made with one of the secrets. How long it takes does not tell how much was right.
func (r *Rewriter) verify(sum string, s ...string) bool {
	right := 0
	for _, secret := range r.cfg.Secrets {
		right |= subtle.ConstantTimeCompare([]byte(lower(sum)), []byte(lower(hash(secret, s...))))
	}
	return right == 1
}

// lower changes ASCII letters alone, as those do who compute the same hash elsewhere.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// The date: two base32 digits count days, and start anew after nearly three years.
const (
	digits  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	slots   = len(digits) * len(digits)
	maxDays = 21
)

func day(now time.Time) int { return int(now.Unix()/(24*60*60)) % slots }

// stamp is the date of an address.
func stamp(now time.Time) string {
	d := day(now)
	return string([]byte{digits[d/len(digits)], digits[d%len(digits)]})
}

// current says whether an address of a date is still good.
func current(date string, now time.Time) bool {
	if len(date) != 2 {
		return false
	}
	date = smtp.Upper(date)
	high, low := strings.IndexByte(digits, date[0]), strings.IndexByte(digits, date[1])
	if high < 0 || low < 0 {
		return false
	}
	age := (day(now) - high*len(digits) - low + slots) % slots
	return age <= maxDays
}
