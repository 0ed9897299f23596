package main_test

import (
	"bytes"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A dialogue is a session in SMTP or LMTP as the client holds it. Any reply but the one expected ends the test.
type dialogue struct {
	t testing.TB
	*textproto.Conn
}

// dial opens a session up to the greeting.
func dial(t testing.TB, network, address string) dialogue {
	t.Helper()
	return dialFrom(t, nil, network, address)
}

// dialFrom is dial with a choice of the client's own address.
func dialFrom(t testing.TB, own net.Addr, network, address string) dialogue {
	t.Helper()
	conn, err := (&net.Dialer{LocalAddr: own, Timeout: patience}).DialContext(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	d := dialogue{t, textproto.NewConn(conn)}
	t.Cleanup(func() { d.Close() })
	d.reply(220)
	return d
}

// reply reads one reply and returns its text; all its lines, if it has several.
func (d dialogue) reply(code int) string {
	d.t.Helper()
	_, text, err := d.ReadResponse(code)
	if err != nil {
		d.t.Fatalf("expected %d: %v", code, err)
	}
	return text
}

// say sends a line and expects a reply.
func (d dialogue) say(code int, format string, args ...any) string {
	d.t.Helper()
	if err := d.PrintfLine(format, args...); err != nil {
		d.t.Fatal(err)
	}
	return d.reply(code)
}

// content sends a message with dots stuffed and the final dot, and leaves the replies to the caller.
func (d dialogue) content(message []byte) {
	d.t.Helper()
	w := d.DotWriter()
	if _, err := w.Write(message); err != nil {
		d.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// ended expects that the other side has closed the connection and said nothing more.
func (d dialogue) ended() {
	d.t.Helper()
	if line, err := d.ReadLine(); err == nil {
		d.t.Errorf("said %q where the connection should have been closed", line)
	}
}

// transaction holds a whole transaction in LMTP and returns the reply for each recipient, whether it came to RCPT or
// after the final dot.
func (d dialogue) transaction(message []byte, to ...string) []string {
	d.t.Helper()
	d.say(250, "MAIL FROM:<sender@example.net>")
	replies := make([]string, len(to))
	var accepted []int
	for i, rcpt := range to {
		if err := d.PrintfLine("RCPT TO:<%s>", rcpt); err != nil {
			d.t.Fatal(err)
		}
		if replies[i] = d.any(); strings.HasPrefix(replies[i], "250 ") {
			accepted = append(accepted, i)
		}
	}
	d.say(354, "DATA")
	d.content(message)
	for _, i := range accepted {
		replies[i] = d.any()
	}
	return replies
}

// refused begins a transaction whose recipient is refused, and leaves it.
func (d dialogue) refused(code int, to string) {
	d.t.Helper()
	d.say(250, "MAIL FROM:<sender@example.net>")
	d.say(code, "RCPT TO:<%s>", to)
	d.say(250, "RSET")
}

// any reads a reply, whatever it says, and returns it with its code.
func (d dialogue) any() string {
	d.t.Helper()
	code, text, err := d.ReadResponse(0)
	if err != nil {
		d.t.Fatal(err)
	}
	return fmt.Sprint(code, " ", text)
}

// A letter is a message that can be known again: its ID is in its header, and all else follows from ID and size,
// which it has or is a little larger.
// It has what stresses the way: dots at the beginnings of lines, empty lines, octets above 127. CRLF line ends.
func letter(id string, size int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "X-Letter: %s\r\nFrom: <sender@example.net>\r\nTo: <ann@example.org>\r\n", id)
	fmt.Fprintf(&b, "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%s@example.net>\r\n", id)
	b.WriteString("Subject: letter\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n" +
		"Content-Transfer-Encoding: 8bit\r\n\r\n")
	starts := []string{"", ".", "..", "From ", "\xe9t\xe9 ", ".\t"}
	filler := strings.Repeat("0123456789 abcdefghij ", 3)
	for n := 0; b.Len() < size; n++ {
		if n%7 == 6 {
			b.WriteString("\r\n")
		}
		b.WriteString(starts[n%len(starts)])
		b.WriteString(id)
		b.WriteByte(' ')
		b.WriteString(strconv.Itoa(n))
		b.WriteByte(' ')
		b.WriteString(filler[:n%len(filler)])
		b.WriteString("\r\n")
	}
	b.WriteString("-- end\r\n")
	return b.Bytes()
}

// onDisk is a message as a maildir keeps it, with LF line ends.
func onDisk(message []byte) []byte { return bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n")) }

// letterID finds the ID of a letter in what was stored, "" where there is none.
func letterID(stored []byte) string {
	_, rest, found := strings.Cut(string(stored), "X-Letter: ")
	if !found {
		return ""
	}
	id, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(id)
}

// lhlo begins a session in LMTP.
func (d dialogue) lhlo() dialogue {
	d.t.Helper()
	d.say(250, "LHLO client.example.net")
	return d
}
