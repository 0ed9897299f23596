// Package mbox reads and writes mbox files: one file with the messages of one mailbox, one after the other.
//
// The variant is mboxrd (RFC 4155 and what qmail's mbox(5) says of quoting). A message begins with a line
//
//	From SENDER Mon Jan  2 15:04:05 2006
//
// with the date in UTC; lines end in LF; each line of the message that begins with any number of > and "From " has one more
// > in front; an LF follows the message.
//
// What a mailbox knows of a message and mbox has no place for stands in four fields in front of the message, always these
// and in this order, so that they can be taken away again without touching what was there before:
//
//	Status: RO              R: \Seen; O: not new
//	X-Status: AFDT          \Answered, \Flagged, \Deleted, \Draft
//	X-Keywords: $Forwarded  all other flags
//	X-Folder: Lists/Go      its folder, levels divided by /, in UTF-8
//
// Status, X-Status and X-Keywords are the fields of Dovecot, mutt and others, which so see the flags. The message itself
// comes back octet for octet, the line end at its end included or not, but that a bare LF becomes CRLF: nobody can tell it
// from a line end in a file of LFs.
//
// Files of other programs are read too: with CRLF line ends; without empty lines between the messages; with other forms of
// the date and with time zones, of which those in letters but GMT and UTC are not known and taken for UTC. A line is
// the beginning of a message if it begins with "From " and has a date: what an mboxo writer has not quoted is seldom mistaken
// for one. Their flags are taken from Status, X-Status, X-Keywords and X-Mozilla-Status wherever these stand in the header,
// where they stay. One > is taken from quoted lines, though an mboxo writer may have found it there.
//
// Not read: mboxcl and mboxcl2, whose messages have a length in place of quoting; MMDF. Not done: locking; who writes to the
// file at the same time is to be stopped first.
package mbox

import (
	"errors"
	"slices"
	"strings"
	"time"

	"lmtpd/store"
)

// ErrFormat says that a file is no mbox.
var ErrFormat = errors.New("no mbox: the first line is not From SENDER DATE")

// A Message is what is known of a message besides its content.
type Message struct {
	Sender string    // of the line that it begins with; "" if that has none
	Date   time.Time // to the second
	Folder string    // "" is INBOX, or not said
	Flags  []store.Flag
}

// The fields in front of a message, in their order.
func fieldNames() [4]string { return [4]string{"Status", "X-Status", "X-Keywords", "X-Folder"} }

// statusLetters pairs flags with their letters in X-Status.
func statusLetters() [4]struct {
	letter byte
	flag   store.Flag
} {
	return [...]struct {
		letter byte
		flag   store.Flag
	}{{'A', store.FlagAnswered}, {'F', store.FlagFlagged}, {'D', store.FlagDeleted}, {'T', store.FlagDraft}}
}

// fieldsOf gives what stands in the four fields.
func fieldsOf(m Message) [4]string {
	var status, letters string
	var keywords []string
	for _, l := range statusLetters() {
		if slices.Contains(m.Flags, l.flag) {
			letters += string(l.letter)
		}
	}
	for _, f := range m.Flags {
		switch {
		case f == store.FlagSeen:
			status = "R"
		case isKeyword(string(f)):
			keywords = append(keywords, string(f))
		}
	}
	folder := m.Folder
	if folder == "" {
		folder = "INBOX"
	}
	return [4]string{status + "O", letters, strings.Join(keywords, " "), folder}
}

// flagsIn gives the flags that a field stands for; unknown letters stand for none.
func flagsIn(name, value string) (flags []store.Flag) {
	switch strings.ToLower(name) {
	case "status":
		if strings.Contains(value, "R") {
			flags = append(flags, store.FlagSeen)
		}
	case "x-status":
		for _, l := range statusLetters() {
			if strings.IndexByte(value, l.letter) >= 0 {
				flags = append(flags, l.flag)
			}
		}
	case "x-keywords":
		for word := range strings.FieldsSeq(value) {
			if isKeyword(word) {
				flags = append(flags, store.Flag(word))
			}
		}
	case "x-mozilla-status":
		flags = mozillaFlags(value)
	}
	return flags
}

// isKeyword says whether a word is an atom (RFC 3501 §9). A file may hold anything.
func isKeyword(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r) })
}
