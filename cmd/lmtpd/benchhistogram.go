package main

import (
	"math"
	"math/bits"
	"time"
)

// histogramBits says how fine a histogram is: a power of two is divided into 2^histogramBits buckets.
const histogramBits = 7

// A histogram counts durations, of a nanosecond up to centuries, in buckets that are wider the longer they last. So its
// memory is 57 KB whatever is counted, and a quantile is at most 1/128 too long. The zero histogram is empty.
type histogram struct {
	counts [(64 - histogramBits) << histogramBits]int64
	total  int64
	most   time.Duration
}

// bucket returns where d is counted. The first 2^(histogramBits+1) buckets hold one value each.
func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	shift := max(bits.Len64(v)-histogramBits-1, 0)
	return shift<<histogramBits + int(v>>shift)
}

// longest returns the longest duration that is counted in a bucket.
func longest(bucket int) time.Duration {
	shift := max(bucket>>histogramBits-1, 0)
	v := uint64(bucket - shift<<histogramBits)
	return time.Duration((v+1)<<shift - 1)
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.most = max(h.most, d)
}

// quantile returns what a share q of the durations did not exceed; 0 if there are none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(int64(math.Ceil(q*float64(h.total))), 1)
	for i, n := range h.counts {
		if rank -= n; rank <= 0 {
			return min(longest(i), h.most)
		}
	}
	return h.most
}
