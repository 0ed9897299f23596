package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A position is a place in the configuration file: line and column, both from 1, the column in octets as
// compilers count it. The zero position is a place outside the file.
type position struct{ line, col int }

// A mistake is one thing wrong with the configuration.
type mistake struct {
	where string // "lmtpd.toml:3:7", or the program and its flag: "lmtpd: --data"
	at    position
	what  string
}

// mistakes is everything wrong with a configuration, reported in one go.
type mistakes []mistake

// Error returns one line a mistake, in the order of the file.
func (m mistakes) Error() string {
	var b strings.Builder
	for _, one := range m {
		fmt.Fprintf(&b, "%s: %s\n", one.where, one.what)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// ExitCode is 64 if only the flags are wrong, and 78 if the file is.
func (m mistakes) ExitCode() int {
	if m.inFile() {
		return exConfig
	}
	return exUsage
}

// inFile says whether the file is wrong.
func (m mistakes) inFile() bool {
	return slices.ContainsFunc(m, func(one mistake) bool { return one.at != (position{}) })
}

// A report collects mistakes while a configuration is read.
type report struct {
	file  string
	found mistakes
}

// add notes a mistake in the file.
func (r *report) add(at position, format string, args ...any) {
	r.found = append(r.found, mistake{
		where: fmt.Sprintf("%s:%d:%d", r.file, at.line, at.col),
		at:    at,
		what:  fmt.Sprintf(format, args...),
	})
}

// addFlag notes a mistake in the value of a flag.
func (r *report) addFlag(flag string, err error) {
	r.found = append(r.found, mistake{where: "lmtpd: --" + flag, what: err.Error()})
}

// err returns what was found in the order of the file, flags last, or nil.
func (r *report) err() error {
	if len(r.found) == 0 {
		return nil
	}
	slices.SortStableFunc(r.found, func(a, b mistake) int {
		if outside := cmp.Compare(rank(a), rank(b)); outside != 0 {
			return outside
		}
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.col, b.at.col))
	})
	return r.found
}

func rank(m mistake) int {
	if m.at == (position{}) {
		return 1
	}
	return 0
}
