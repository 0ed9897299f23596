package sqlite

import (
	"slices"
	"strings"
	"unicode"

	"lmtpd/store"
)

// flagWords writes flags as a column has them: each once, divided by blanks. What could not be told from others is left out.
func flagWords(flags []store.Flag) string {
	var words []string
	for _, f := range flags {
		odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar }
		same := func(w string) bool { return strings.EqualFold(w, string(f)) }
		if f != "" && !strings.ContainsFunc(string(f), odd) && !slices.ContainsFunc(words, same) {
			words = append(words, string(f))
		}
	}
	return strings.Join(words, " ")
}

func flagsOf(words string) (flags []store.Flag) {
	for w := range strings.FieldsSeq(words) {
		flags = append(flags, store.Flag(w))
	}
	return flags
}
