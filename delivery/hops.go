package delivery

import (
	"bytes"
	"errors"

	"lmtpd/store"
)

// What says that a message goes in a circle.
var (
	// errLoop says that it has been received more often than any honest way takes.
	errLoop = errors.New("too many Received fields: the message goes in a circle")
	// errComesBack says that it has been sent on from here, for the same recipient.
	errComesBack = errors.New("its Delivered-To says that it was sent on from here: the message goes in a circle")
)

// Of a header no more than the first MiB is looked at; what cannot be read there fails later, when it is delivered. Of a line
// that lies in two blocks no more than so much counts.
const (
	maxHeader    = 1 << 20
	maxSplitLine = 1000
)

// tooManyHops counts the Received fields in the header (RFC 5321 §6.3).
func (m *memory) tooManyHops(c store.Content, most int) bool {
	hops := 0
	m.header(c, func(line []byte) bool {
		if _, is := field(line, "received:"); is {
			hops++
		}
		return hops <= most
	})
	return hops > most
}

// comesBack says whether the message has been sent on from here for an address: each that is has a Delivered-To.
func (m *memory) comesBack(c store.Content, address string) (back bool) {
	m.header(c, func(line []byte) bool {
		value, is := field(line, "delivered-to:")
		back = back || is && string(bytes.TrimSpace(value)) == address
		return !back
	})
	return back
}

// field takes the name, in lower case and with its colon, from the front of a line.
func field(line []byte, name string) (value []byte, is bool) {
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return line[len(name):], true
}

// header calls look with each line of the header, without its LF, as long as that wants to see more.
func (m *memory) header(c store.Content, look func(line []byte) bool) {
	buf := m.lend()
	defer m.back(buf)
	keep := 0 // octets of a line that began in the last block
	for at := int64(0); at < maxHeader; {
		n, _ := c.ReadAt(buf[keep:], at)
		at += int64(n)
		b := buf[:keep+n]
		if n == 0 {
			return
		}
		for {
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				break
			}
			if end == 0 || end == 1 && b[0] == '\r' || !look(b[:end]) { // the empty line after the header
				return
			}
			b = b[end+1:]
		}
		keep = copy(buf[:], b[:min(len(b), maxSplitLine)])
	}
}
