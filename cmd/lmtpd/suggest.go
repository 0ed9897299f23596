package main

import (
	"fmt"
	"strings"
)

// didYouMean ends a complaint about word with the one of known that was probably meant, if any is near.
func didYouMean(prefix, word string, known []string) string {
	best, distance := "", 1+(len(word)+1)/3
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), k); d < distance && len(k) > 1 {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	if prefix == "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return fmt.Sprintf("; did you mean %s%s?", prefix, best)
}

// editDistance counts the octets to insert, delete, replace or swap with their neighbour to make b from a.
func editDistance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
