package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Buckets follow each other without a gap, and none is wider than 1/128 of what it holds.
func TestHistogramBuckets(t *testing.T) {
	var h histogram
	for i := range len(h.counts) {
		last := longest(i)
		if last < 0 || bucket(last) != i {
			t.Fatalf("bucket %d ends at %d, which is in bucket %d", i, last, bucket(last))
		}
		if last == math.MaxInt64 {
			return
		}
		if got := bucket(last + 1); got != i+1 {
			t.Fatalf("%d is in bucket %d, and %d in %d", last, i, last+1, got)
		}
		if width := longest(i+1) - last; width > 1 && width > last/128+1 {
			t.Fatalf("bucket %d of %d is %d wide", i+1, last, width)
		}
	}
	t.Error("the longest duration has no bucket")
}

func TestHistogramQuantiles(t *testing.T) {
	var h histogram
	if h.quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]time.Duration, 20_000)
	for i := range all {
		all[i] = time.Duration(math.Exp(rng.Float64() * 30)) // a nanosecond to hours
		h.add(all[i])
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.001, 0.5, 0.95, 0.99, 0.999, 1} {
		exact := all[max(int(math.Ceil(q*float64(len(all))))-1, 0)]
		if got := h.quantile(q); got < exact || got > exact+exact/128 {
			t.Errorf("the quantile %g is %d, want %d and not 1/128 more", q, got, exact)
		}
	}
	if h.most != all[len(all)-1] || h.quantile(1) != h.most {
		t.Errorf("the longest is %d, the quantile 1 %d, want %d", h.most, h.quantile(1), all[len(all)-1])
	}
}

// A clock that goes back, or a duration beyond all measure, is no reason to stop measuring.
func TestHistogramExtremes(t *testing.T) {
	var h histogram
	h.add(-time.Second)
	h.add(math.MaxInt64)
	if h.quantile(0.5) != 0 || h.quantile(1) != math.MaxInt64 {
		t.Errorf("quantiles %d and %d", h.quantile(0.5), h.quantile(1))
	}
}
