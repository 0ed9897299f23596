package store

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Levels divides the name of a folder into its levels; INBOX, written "" or in any case (RFC 3501 §5.1), has none.
// A name that no store may use gives an error wrapping ErrNoFolder: not UTF-8, an empty level, a leading dot, a control
// character, or too long. A store may refuse more than that.
func Levels(folder string) ([]string, error) {
	if folder == "" || strings.EqualFold(folder, "INBOX") {
		return nil, nil
	}
	if !utf8.ValidString(folder) || len(folder) > maxName || strings.ContainsFunc(folder, unicode.IsControl) {
		return nil, fmt.Errorf("%w: %q is not UTF-8, has a control character or is too long", ErrNoFolder, folder)
	}
	levels := strings.Split(folder, "/")
	for _, l := range levels {
		if l == "" || l[0] == '.' {
			return nil, fmt.Errorf("%w: %q has an empty level or a leading dot", ErrNoFolder, folder)
		}
	}
	return levels, nil
}
