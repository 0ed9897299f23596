package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An imap is a session in IMAP, as far as the tests need it (RFC 3501 §6).
type imap struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	tags int
}

// An imapLine is an untagged response. Where a literal was, text has its length in braces.
type imapLine struct {
	text     string
	literals [][]byte
}

// login opens a session for a user.
func (d *dovecot) login(t *testing.T, user string) *imap {
	t.Helper()
	conn, err := net.Dial("unix", d.imap)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &imap{t: t, conn: conn, in: bufio.NewReader(conn)}
	c.line()
	c.do("LOGIN %s test", user)
	return c
}

// do sends a command, which must be answered OK, and returns the untagged responses. A literal in it is non-synchronising
// (RFC 7888 §4).
func (c *imap) do(format string, args ...any) (lines []imapLine) {
	c.t.Helper()
	c.tags++
	tag := fmt.Sprintf("t%d ", c.tags)
	command := fmt.Sprintf(format, args...)
	if _, err := io.WriteString(c.conn, tag+command+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
	for {
		l := c.line()
		if rest, tagged := strings.CutPrefix(l.text, tag); tagged {
			if !strings.HasPrefix(rest, "OK") {
				name, _, _ := strings.Cut(command, "\r\n")
				c.t.Fatalf("%s: %s", name, rest)
			}
			return lines
		}
		lines = append(lines, l)
	}
}

var literalAtEnd = regexp.MustCompile(`\{(\d+)\}$`)

// line reads a response with its literals.
func (c *imap) line() (l imapLine) {
	c.t.Helper()
	for {
		part, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("IMAP: %v", err)
		}
		part = strings.TrimRight(part, "\r\n")
		l.text += part
		announced := literalAtEnd.FindStringSubmatch(part)
		if announced == nil {
			return l
		}
		n, _ := strconv.Atoi(announced[1])
		octets := make([]byte, n)
		if _, err := io.ReadFull(c.in, octets); err != nil {
			c.t.Fatalf("IMAP: %v", err)
		}
		l.literals = append(l.literals, octets)
	}
}

// append puts a message into a folder, whose name is in modified UTF-7. options are flags and internal date.
func (c *imap) append(folder, options string, message []byte) {
	c.t.Helper()
	c.do("APPEND %q %s {%d+}\r\n%s", folder, options, len(message), message)
}

// folders lists all folders that a command (LIST or LSUB) tells of, in modified UTF-7.
func (c *imap) folders(verb string) (names []string) {
	c.t.Helper()
	for _, l := range c.do(`%s "" "*"`, verb) {
		fields := strings.Fields(l.text)
		if len(fields) > 2 && fields[1] == verb {
			names = append(names, strings.Trim(fields[len(fields)-1], `"`))
		}
	}
	return names
}

// A fetched is a message as IMAP shows it.
type fetched struct {
	flags string
	size  int
	date  time.Time
	text  []byte
}

var fetchResponse = regexp.MustCompile(`FETCH \(.*FLAGS \(([^)]*)\) INTERNALDATE "([^"]*)" RFC822.SIZE (\d+) BODY\[\]`)

// fetchAll reads all messages of a folder.
func (c *imap) fetchAll(folder string) (all []fetched) {
	c.t.Helper()
	c.do("SELECT %q", folder)
	for _, l := range c.do("FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])") {
		part := fetchResponse.FindStringSubmatch(l.text)
		if part == nil {
			continue
		}
		size, _ := strconv.Atoi(part[3])
		date, err := time.Parse("_2-Jan-2006 15:04:05 -0700", part[2])
		if err != nil {
			c.t.Error(err)
		}
		all = append(all, fetched{part[1], size, date, l.literals[0]})
	}
	return all
}
