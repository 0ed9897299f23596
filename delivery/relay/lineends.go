package relay

import (
	"bufio"
	"bytes"
	"io"
)

// A wireReader is content on its way to a server, with a blank for each CR that is not of a line end: a client must not send those
// (RFC 5321 §2.3.8), and a server that takes one for a line end would take what follows for commands. The LF alone is the client's to
// mend.
type wireReader struct{ src *bufio.Reader }

func newWireReader(src io.Reader) wireReader { return wireReader{bufio.NewReaderSize(src, 16)} }

// Read implements io.Reader.
func (r wireReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	for b := p[:n]; ; {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return n, err
		}
		after := b[i+1:]
		if len(after) == 0 {
			after, _ = r.src.Peek(1) // an error comes again
		}
		if len(after) == 0 || after[0] != '\n' {
			b[i] = ' '
		}
		b = b[i+1:]
	}
}
