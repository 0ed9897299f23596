package client

import "bytes"

// blockSize is how much content is read, and about how much is written, at once.
const blockSize = 32 << 10

// A stuffer gives content its form on the wire: line ends, and a dot before each line that begins with one
// (RFC 5321 §4.5.2). It remembers where in a line the last block ended.
type stuffer struct {
	ends    LineEnds
	chunked bool // it goes with BDAT, where a dot means nothing (RFC 3030 §2)
	mid     bool // inside a line
	cr      bool // the last octet was CR
}

// append appends the wire form of block to dst. Line by line, so that each octet is looked at once by a search
// and once by a copy, whatever the block's borders are.
func (s *stuffer) append(dst, block []byte) []byte {
	for len(block) > 0 {
		if !s.mid && block[0] == '.' && !s.chunked {
			dst = append(dst, '.')
		}
		n := bytes.IndexByte(block, '\n')
		if n < 0 {
			s.mid, s.cr = true, block[len(block)-1] == '\r'
			return append(dst, block...)
		}
		crlf := n > 0 && block[n-1] == '\r' || n == 0 && s.cr
		dst = append(dst, block[:n]...)
		if !crlf && s.ends == ToCRLF {
			dst, crlf = append(dst, '\r'), true
		}
		dst = append(dst, '\n')
		s.mid, s.cr = !crlf, false
		block = block[n+1:]
	}
	return dst
}

// end appends the final dot, unless there is none, after a line end if the content lacks one.
func (s *stuffer) end(dst []byte) []byte {
	if s.mid {
		dst = append(dst, "\r\n"...)
	}
	if s.chunked {
		return dst
	}
	return append(dst, ".\r\n"...)
}
