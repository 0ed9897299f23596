package textfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLine is how many octets a line may have. A hash of SCRAM has some 200.
const MaxLine = 8 << 10

// CutEnd parts a line from its end, which is LF, CRLF or, in the last one, nothing.
func CutEnd(line string) (text, end string) {
	text = strings.TrimSuffix(line, "\n")
	if len(text) < len(line) {
		text = strings.TrimSuffix(text, "\r")
	}
	return text, line[len(text):]
}

// CheckLine says what a line without its end may not have in it anywhere. Of the control characters, those in
// allowed are let through.
func CheckLine(line, allowed string) error {
	if len(line) > MaxLine {
		return fmt.Errorf("line of %d octets is too long: %d are allowed", len(line), MaxLine)
	}
	if !utf8.ValidString(line) {
		return errors.New("line is not UTF-8")
	}
	for i, r := range line {
		if r == 0 {
			return fmt.Errorf("NUL in column %d", i+1)
		}
		if unicode.IsControl(r) && !strings.ContainsRune(allowed, r) {
			return fmt.Errorf("control character %#02x in column %d", r, i+1)
		}
	}
	return nil
}
