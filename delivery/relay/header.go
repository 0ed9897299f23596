package relay

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"lmtpd/store"
)

// headerBlock is how much of a header is looked at at once.
const headerBlock = 4 << 10

// asciiHeader says whether all of a message's header is ASCII. It ends with an empty line (RFC 5322 §2.1).
func asciiHeader(c store.Content) (bool, error) {
	in := io.NewSectionReader(c, 0, c.Size())
	block := make([]byte, headerBlock)
	line := 0 // octets of the line that goes on, without its end
	for {
		n, err := in.Read(block)
		for rest := block[:n]; len(rest) > 0; {
			part, after, ended := bytes.Cut(rest, []byte("\n"))
			if bytes.ContainsFunc(part, func(r rune) bool { return r >= utf8.RuneSelf }) {
				return false, nil
			}
			line += len(bytes.TrimSuffix(part, []byte("\r")))
			if ended && line == 0 {
				return true, nil
			}
			if ended {
				line = 0
			}
			rest = after
		}
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		}
	}
}
