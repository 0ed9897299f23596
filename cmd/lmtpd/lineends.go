package main

import "bufio"

// An lfWriter passes on what is written to it with CRLF as LF. A CR that no LF follows stays.
type lfWriter struct {
	w  *bufio.Writer
	cr bool // the last octet was a CR, and is not written yet
}

func (l *lfWriter) Write(p []byte) (int, error) {
	for i, c := range p {
		if l.cr && c != '\n' {
			if err := l.w.WriteByte('\r'); err != nil {
				return i, err
			}
		}
		if l.cr = c == '\r'; l.cr {
			continue
		}
		if err := l.w.WriteByte(c); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// Flush writes what is held back.
func (l *lfWriter) Flush() error {
	if l.cr {
		l.cr = false
		if err := l.w.WriteByte('\r'); err != nil {
			return err
		}
	}
	return l.w.Flush()
}
