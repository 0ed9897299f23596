package main

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// newID returns a name for a transaction or a session that no other has, on this host or another, now or
// later: the time in microseconds and 40 random bits. IDs sort by time.
func newID() string {
	b := make([]byte, 0, 20)
	b = strconv.AppendInt(b, time.Now().UnixMicro(), 36)
	random := strconv.FormatUint(rand.Uint64N(1<<40), 36)
	b = append(b, strings.Repeat("0", 8-len(random))...)
	return string(append(b, random...))
}
