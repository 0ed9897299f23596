package dovecot

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// How long lines may be, their LF included. Dovecot hangs up on a longer one, and so on all exchanges of the connection.
const (
	maxSent     = 16<<10 - 1
	maxReceived = 32 << 10
)

// readLine reads a line without its LF.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("a line of more than %d octets", maxReceived)
	case errors.Is(err, io.EOF):
		return "", fmt.Errorf("it hung up: %w", err)
	case err != nil:
		return "", err
	}
	return string(line[:len(line)-1]), nil
}

// A command is a line: a verb and parameters.
type command struct {
	verb       string
	parameters []string
}

// parseCommand reads a line. Every line is one.
func parseCommand(line string) command {
	verb, rest, more := strings.Cut(line, "\t")
	c := command{verb: unescape(verb)}
	if !more {
		return c
	}
	for p := range strings.SplitSeq(rest, "\t") {
		c.parameters = append(c.parameters, unescape(p))
	}
	return c
}

// parameter returns the parameter of a place, "" where there is none.
func (c command) parameter(i int) string {
	if i >= len(c.parameters) {
		return ""
	}
	return c.parameters[i]
}

// escaper makes a parameter of what has octets that a line cannot have; unescape takes them back.
var escaper = strings.NewReplacer("\x00", "\x010", "\x01", "\x011", "\t", "\x01t", "\r", "\x01r", "\n", "\x01n")

// unescape takes back escapes. One of another octet stands for that; one of none, at the end, for nothing.
func unescape(s string) string {
	before, s, found := strings.Cut(s, "\x01")
	if !found {
		return before
	}
	var b strings.Builder
	b.WriteString(before)
	for found && s != "" {
		b.WriteByte(unescaped(s[0]))
		before, s, found = strings.Cut(s[1:], "\x01")
		b.WriteString(before)
	}
	return b.String()
}

func unescaped(c byte) byte {
	switch c {
	case '0':
		return 0
	case '1':
		return 1
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'n':
		return '\n'
	}
	return c
}
