package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// The text of letters: lines of printable characters that begin with no dot, so that nothing has to be stuffed.
const (
	letterLine  = 72 + len("\r\n")
	letterLines = 4096 // in the buffer, which is gone through again and again for a longer letter
	letterLeast = 512  // octets that leave room for the header
)

// benchLetters are the content of a run's messages, all from one buffer. They may be made by many goroutines at once.
type benchLetters struct {
	run  string // in every Message-ID, so that no two runs have the same
	host string
	head string // the fields that are the same in all
	text []byte
}

// newLetters prepares the letters of a run, which say that they come from an address.
func newLetters(run, from string, now time.Time) *benchLetters {
	const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,"
	rng := rand.New(rand.NewPCG(1, 1)) // the same text in every run
	text := make([]byte, 0, letterLine*letterLines)
	for range letterLines {
		for range letterLine - len("\r\n") {
			text = append(text, characters[rng.IntN(len(characters))])
		}
		text = append(text, "\r\n"...)
	}
	return &benchLetters{
		run:  run,
		host: from[strings.LastIndexByte(from, '@')+1:],
		head: "From: <" + from + ">\r\nDate: " + now.Format(time.RFC1123Z) +
			"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\nSubject: lmtpd bench\r\n",
		text: text,
	}
}

// A benchLetter is the content of one message, to be read once. It may be used again for the next.
type benchLetter struct {
	all  *benchLetters
	head []byte
	left []byte // of head
	body int64  // octets of text to come
	tail string // what ends the text
	at   int    // in the text
}

// begin makes l the letter with this number and of this many octets, which are letterLeast or more.
func (l *benchLetter) begin(number, size int64) {
	l.head = append(l.head[:0], l.all.head...)
	l.head = fmt.Appendf(l.head, "Message-ID: <%s.%d@%s>\r\n\r\n", l.all.run, number, l.all.host)
	l.left, l.at, l.tail = l.head, 0, "\r\n"
	l.body = size - int64(len(l.head)) - int64(len(l.tail))
	if l.body%int64(letterLine) == int64(letterLine)-1 { // the text would end in the middle of CRLF
		l.body, l.tail = l.body-1, ".\r\n"
	}
}

// Read implements io.Reader.
func (l *benchLetter) Read(p []byte) (n int, err error) {
	for n < len(p) {
		var k int
		switch {
		case len(l.left) > 0:
			k = copy(p[n:], l.left)
			l.left = l.left[k:]
		case l.body > 0:
			k = copy(p[n:], l.all.text[l.at:min(int64(len(l.all.text)), int64(l.at)+l.body)])
			l.body, l.at = l.body-int64(k), (l.at+k)%len(l.all.text)
		case l.tail != "":
			k = copy(p[n:], l.tail)
			l.tail = l.tail[k:]
		default:
			return n, io.EOF
		}
		n += k
	}
	return n, nil
}
