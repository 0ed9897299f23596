package mailtext

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// A squeezer collects text up to a limit: blanks in a row become one, or a line feed if there is one among them, and what nobody
// sees is left out.
type squeezer struct {
	limit   int // octets
	text    []byte
	pending rune // blank that comes before the next character; 0: none
}

func (s *squeezer) add(text string) {
	for _, r := range text {
		switch {
		case r == '\n':
			s.pending = r
		case unicode.IsSpace(r), unicode.IsControl(r), r == 0x200B: // zero width space
			if s.pending == 0 {
				s.pending = ' '
			}
		case r == 0xAD, r == 0x200C, r == 0x200D, r == 0xFEFF: // soft hyphen, joiners, byte order mark
		default:
			s.character(r)
		}
	}
}

func (s *squeezer) character(r rune) {
	if len(s.text)+utf8.RuneLen(r)+1 > s.limit {
		return
	}
	if s.pending != 0 && len(s.text) > 0 {
		s.text = append(s.text, byte(s.pending))
	}
	s.pending = 0
	s.text = utf8.AppendRune(s.text, r)
}

func (s *squeezer) String() string { return string(s.text) }

// mark is a place in the text.
func (s *squeezer) mark() int { return len(s.text) }

// choose keeps one of two alternatives, which begin at these marks: the first, if the second does not say much more.
func (s *squeezer) choose(first, second int) {
	one, two := s.text[first:second], s.text[second:]
	switch {
	case len(two) <= 2*len(one):
		s.text = s.text[:second]
	case first == 0:
		s.text = append(s.text[:0], bytes.TrimLeft(two, " \n")...)
	default:
		s.text = append(s.text[:first], two...)
	}
}

// toUTF8 gives text in UTF-8. Octets that are not are for the most part Windows-1252, or damage.
func toUTF8(octets []byte) string {
	if utf8.Valid(octets) {
		return string(octets)
	}
	good, bad := 0, 0
	for rest := octets; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 1:
			good++
		}
		rest = rest[size:]
	}
	if good >= bad {
		return strings.ToValidUTF8(string(octets), " ")
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(octets)
	if err != nil {
		return strings.ToValidUTF8(string(octets), " ")
	}
	return string(text)
}
