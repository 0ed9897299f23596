package delivery

import (
	"bytes"
	"errors"

	"lmtpd/store"
)

// errLoop says that a message has been received more often than any honest way takes.
var errLoop = errors.New("too many Received fields: the message goes in a circle")

// tooManyHops counts the Received fields in the header (RFC 5321 §6.3). It looks at no more than the first MiB;
// what cannot be read there fails later, when it is delivered.
func (m *memory) tooManyHops(c store.Content, most int) bool {
	buf := m.lend()
	defer m.back(buf)
	const field = "received:"
	hops, keep := 0, 0 // keep: octets of a line that began in the last block
	for at := int64(0); at < 1<<20; {
		n, _ := c.ReadAt(buf[keep:], at)
		at += int64(n)
		b := buf[:keep+n]
		if n == 0 {
			return false
		}
		for {
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				break
			}
			if end == 0 || end == 1 && b[0] == '\r' { // the empty line after the header
				return false
			}
			if len(b) > len(field) && bytes.EqualFold(b[:len(field)], []byte(field)) {
				if hops++; hops > most {
					return true
				}
			}
			b = b[end+1:]
		}
		// Of a line that goes on only the name matters.
		keep = copy(buf[:], b[:min(len(b), len(field)+1)])
	}
	return false
}
