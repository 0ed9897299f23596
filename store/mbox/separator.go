package mbox

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSeparator is how long a line may be and still begin a message.
const maxSeparator = 2 << 10

const fromWord = "From "

// formatSeparator makes the line that a message begins with.
func formatSeparator(sender string, date time.Time) string {
	if sender == "" || strings.ContainsFunc(sender, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		sender = "MAILER-DAEMON"
	}
	return fromWord + sender + " " + date.UTC().Format(time.ANSIC) + "\n"
}

// parseSeparator reads such a line as anybody may have written it: the date as in asctime(3), perhaps without seconds, a time
// zone in front of the year or behind it.
func parseSeparator(line string) (sender string, date time.Time, ok bool) {
	rest, ok := strings.CutPrefix(line, fromWord)
	if !ok || len(line) > maxSeparator {
		return "", date, false
	}
	words := strings.Fields(rest)
	for i := range words {
		if i > 8 {
			break // a quoted local-part may have blanks, but there is an end to it
		}
		if date, ok := parseDate(words[i:]); ok {
			return strings.Join(words[:i], " "), date, true
		}
	}
	return "", date, false
}

// parseDate reads the words of a date; what follows it is passed over.
func parseDate(words []string) (date time.Time, ok bool) {
	if len(words) < 5 || !isWeekday(words[0]) {
		return date, false
	}
	clock := words[3]
	if strings.Count(clock, ":") == 1 {
		clock += ":00"
	}
	zone, year := time.UTC, ""
	for _, w := range words[4:min(len(words), 7)] {
		switch z, is := parseZone(w); {
		case is:
			zone = z
		case year == "":
			year = w
		}
	}
	date, err := time.ParseInLocation("Jan 2 15:04:05 2006", strings.Join([]string{words[1], words[2], clock, year}, " "), zone)
	return date.UTC(), err == nil
}

func isWeekday(word string) bool {
	return slices.Contains([]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, word)
}

// parseZone reads a time zone: +0200, or letters.
func parseZone(word string) (*time.Location, bool) {
	if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && word != "" {
		return time.UTC, true
	}
	if len(word) != 5 || word[0] != '+' && word[0] != '-' {
		return nil, false
	}
	n, err := strconv.ParseUint(word[1:], 10, 16)
	if err != nil || n%100 > 59 || n > 1500 {
		return nil, false
	}
	seconds := int(n/100*3600 + n%100*60)
	if word[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone("", seconds), true
}
