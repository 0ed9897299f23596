package maildir

import (
	"slices"
	"strings"

	gomaildir "github.com/emersion/go-maildir"

	"lmtpd/store"
)

// flagLetters pairs the flags of a message with their letters in a maildir, in the order of the letters.
func flagLetters() [6]struct {
	letter gomaildir.Flag
	flag   store.Flag
} {
	return [...]struct {
		letter gomaildir.Flag
		flag   store.Flag
	}{
		{gomaildir.FlagDraft, store.FlagDraft},
		{gomaildir.FlagFlagged, store.FlagFlagged},
		{gomaildir.FlagPassed, store.FlagPassed},
		{gomaildir.FlagReplied, store.FlagAnswered},
		{gomaildir.FlagSeen, store.FlagSeen},
		{gomaildir.FlagTrashed, store.FlagDeleted},
	}
}

// letters gives the letters of flags as they stand in a name: each once, in order. Keywords have theirs from the folder.
func letters(flags []store.Flag) string {
	if len(flags) == 0 {
		return ""
	}
	var b []byte
	for _, l := range flagLetters() {
		if slices.ContainsFunc(flags, func(f store.Flag) bool { return strings.EqualFold(string(f), string(l.flag)) }) {
			b = append(b, byte(l.letter))
		}
	}
	return string(b)
}

// flagsOf gives the flags that letters stand for; unknown ones stand for none.
func flagsOf(letters string) (flags []store.Flag) {
	for _, l := range flagLetters() {
		if strings.ContainsRune(letters, rune(l.letter)) {
			flags = append(flags, l.flag)
		}
	}
	return flags
}

// lettersIn is letters with those that keywords have in the folder d.
func (s *Store) lettersIn(d *dir, flags []store.Flag) (string, error) {
	if !slices.ContainsFunc(flags, isKeyword) {
		return letters(flags), nil
	}
	k, err := s.keywordsFor(d, flags)
	return replaceLetters("", flags, k), err
}

// replaceLetters gives the letters of flags together with those letters of old that stand for no flag we know: what other
// programs put there.
func replaceLetters(old string, flags []store.Flag, k keywords) string {
	kept := []byte(letters(flags) + k.letters(flags))
	for _, c := range []byte(old) {
		if k.flags(string(rune(c))) == nil {
			kept = append(kept, c)
		}
	}
	slices.Sort(kept)
	return string(slices.Compact(kept))
}
