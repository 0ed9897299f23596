package textfile

import (
	"fmt"
	"strings"
)

// A Mistake is one thing wrong with a file.
type Mistake struct {
	File string
	Line int // from 1
	What string
}

// String is the mistake as compilers tell theirs.
func (m Mistake) String() string { return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.What) }

// Mistakes is everything wrong with a file, in the order of its lines.
type Mistakes []Mistake

// Error returns one line a mistake.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}
