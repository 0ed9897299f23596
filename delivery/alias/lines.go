package alias

import (
	"iter"
	"strings"

	"lmtpd/auth/account/textfile"
)

// blanks may be inside a line. A form feed or the like is a control character, and a mistake.
const blanks = " \t"

// A line is a logical one: it may have been several in the file, and tells of each where it began.
type line struct {
	file   string
	text   string
	number int     // where it began
	more   []piece // what continued it
}

type piece struct{ offset, number int }

// at returns the number of the line in the file that an offset of the text was in.
func (l *line) at(offset int) int {
	n := l.number
	for _, p := range l.more {
		if p.offset > offset {
			break
		}
		n = p.number
	}
	return n
}

// says whether a line without its end is there to be read at all.
func says(text string) bool {
	text = strings.TrimLeft(text, blanks)
	return text != "" && text[0] != '#'
}

// physicalLines returns the lines of a file that say something, without their ends. What a line may not have is told
// to wrong, and the line left out.
func physicalLines(file, text string, wrong func(number int, what string)) iter.Seq[line] {
	return func(yield func(line) bool) {
		number := 0
		for s := range strings.Lines(text) {
			number++
			s, _ = textfile.CutEnd(s)
			if !says(s) {
				continue
			}
			if err := textfile.CheckLine(s, "\t"); err != nil {
				wrong(number, err.Error())
				continue
			}
			if !yield(line{file: file, text: s, number: number}) {
				return
			}
		}
	}
}

// logicalLines returns the lines of a file, each with those that continue it.
func logicalLines(file, text string, wrong func(number int, what string)) iter.Seq[line] {
	return func(yield func(line) bool) {
		var l line
		for next := range physicalLines(file, text, wrong) {
			switch continues := strings.IndexByte(blanks, next.text[0]) >= 0; {
			case continues && l.text == "":
				wrong(next.number, "line begins with a blank and continues nothing")
			case continues:
				l.more = append(l.more, piece{len(l.text), next.number})
				l.text += next.text
			default:
				if l.text != "" && !yield(l) {
					return
				}
				l = next
			}
		}
		if l.text != "" {
			yield(l)
		}
	}
}
