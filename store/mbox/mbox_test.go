package mbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/store"
)

// A letter is a message with its content.
type letter struct {
	Message
	content string
}

// readAll reads a whole file.
func readAll(text string) (all []letter, err error) {
	r := NewReader(strings.NewReader(text))
	for {
		var b strings.Builder
		m, err := r.Next(&b)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, letter{m, b.String()})
	}
}

func writeAll(t testing.TB, all []letter) string {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, l := range all {
		if err := w.Write(l.Message, strings.NewReader(l.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wire makes CRLF of each LF that has no CR before it.
func wire(content string) string {
	var b strings.Builder
	for i := range len(content) {
		if content[i] == '\n' && (i == 0 || content[i-1] != '\r') {
			b.WriteByte('\r')
		}
		b.WriteByte(content[i])
	}
	return b.String()
}

func contents() []string {
	return []string{
		"", "\r\n", "x", "x\r\n", "\r\n\r\n", "Subject: x\r\n\r\nhello\r\n", "Subject: x\r\n\r\nhello", "Subject: x\r\n\r\nhello\r\n\r\n",
		"From me\r\n", "From me Mon Jan  2 15:04:05 2006\r\n", ">From me\r\n>>From me\r\n> From me\r\n>", ">From ", "From ", "From", ">",
		"a\r\n\r\nFrom x@y Mon Jan  2 15:04:05 2006\r\n\r\nb\r\n", "bare\nFrom lf\n\nFrom lf\n", "bare\rFrom cr\r", "\r", "\r\r\n", "\r\r\r\n\r", "x\r",
		"Status: RO\r\nX-Status: F\r\nX-Keywords:\r\nX-Folder: Junk\r\n\r\nx\r\n", "X-Folder: Junk\r\n", "8 bit \xff\x00\xe9\r\n",
		strings.Repeat("y", bufferSize-1) + "\r\nFrom x\r\n", strings.Repeat("y", bufferSize-2) + "\r\r\nz", strings.Repeat("y", bufferSize) + "\n",
		strings.Repeat(">", bufferSize-5) + "From x\r\n" + strings.Repeat(">", bufferSize-4) + "From x\r\n", strings.Repeat("\r", 3*bufferSize),
		strings.Repeat("\r\n", bufferSize), strings.Repeat("From \r\n", bufferSize),
	}
}

// What is written comes back: octets, flags, folder, date and sender.
func TestThereAndBack(t *testing.T) {
	var all []letter
	flags := []store.Flag{
		store.FlagSeen, store.FlagAnswered, store.FlagFlagged, store.FlagDeleted, store.FlagDraft, store.FlagPassed, "work", "NonJunk",
	}
	folders := []string{"", "Lists/Go", "Entwürfe & Ähnliches", " blank ", "INBOX/x"}
	for i, c := range contents() {
		all = append(all, letter{Message{
			Sender: "ann+x@example.org", Date: time.Unix(int64(i)*1e8, 0).UTC(), Folder: folders[i%len(folders)], Flags: flags[:i%len(flags)],
		}, c})
	}
	got, err := readAll(writeAll(t, all))
	if err != nil || len(got) != len(all) {
		t.Fatalf("%d messages, %v, want %d", len(got), err, len(all))
	}
	for i, l := range got {
		want := all[i]
		if l.content != wire(want.content) {
			t.Errorf("%.60q came back as %.60q", want.content, l.content)
		}
		slices.Sort(l.Flags)
		wanted := slices.Sorted(slices.Values(want.Flags))
		if !slices.Equal(l.Flags, wanted) || l.Folder != want.Folder || !l.Date.Equal(want.Date) || l.Sender != want.Sender {
			t.Errorf("%+v came back as %+v", want.Message, l.Message)
		}
	}
}

// The file is as other programs want it.
func TestWriter(t *testing.T) {
	day := time.Date(2026, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
	got := writeAll(t, []letter{
		{Message{Date: day, Flags: []store.Flag{store.FlagSeen, store.FlagPassed, "bad word", store.FlagFlagged}},
			"Return-Path: <ann@example.org>\r\nSubject: x\r\n\r\nFrom here\r\n>From there\r\n"},
		{Message{Date: day, Folder: "Work"}, "Return-Path: <>\r\n\r\nx"},
		{Message{Date: day, Sender: "a b"}, ""},
	})
	want := `From ann@example.org Tue Feb  3 03:05:06 2026
Status: RO
X-Status: F
X-Keywords: $Forwarded
X-Folder: INBOX
Return-Path: <ann@example.org>
Subject: x

>From here
>>From there

From MAILER-DAEMON Tue Feb  3 03:05:06 2026
Status: O
X-Status:
X-Keywords:
X-Folder: Work
Return-Path: <>

x
From MAILER-DAEMON Tue Feb  3 03:05:06 2026
Status: O
X-Status:
X-Keywords:
X-Folder: INBOX

`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	long := Message{Flags: []store.Flag{store.Flag(strings.Repeat("k", maxFields))}}
	if err := NewWriter(io.Discard).Write(long, strings.NewReader("x")); err == nil {
		t.Error("flags without an end were written")
	}
}

// Files of other programs.
func TestForeign(t *testing.T) {
	const from = "From ann@example.org Mon Jan  2 15:04:05 2006\n"
	for _, test := range []struct {
		name, text string
		want       []string
		flags      string
	}{
		{"one", from + "Subject: x\n\nhello\n\n", []string{"Subject: x\r\n\r\nhello\r\n"}, "[]"},
		{"no empty line at the end", from + "Subject: x\n\nhello\n", []string{"Subject: x\r\n\r\nhello\r\n"}, "[]"},
		{"no line end at the end", from + "Subject: x\n\nhello", []string{"Subject: x\r\n\r\nhello"}, "[]"},
		{"no empty line between", from + "a\n" + from + "b\n", []string{"a\r\n", "b\r\n"}, "[]"},
		{"CRLF", strings.ReplaceAll(from+"a\n\nx\n\n"+from+"b\n\n\n", "\n", "\r\n"), []string{"a\r\n\r\nx\r\n", "b\r\n\r\n"}, "[]"},
		{"not quoted", from + "a\n\nFrom here on\n\nFrom: x\n\n", []string{"a\r\n\r\nFrom here on\r\n\r\nFrom: x\r\n"}, "[]"},
		{"flags", from + "Status: RO\nX: y\nx-status: AF\nX-Keywords: a  b*c $Label1   \n\nStatus: x\nX-Status: D\n",
			[]string{"Status: RO\r\nX: y\r\nx-status: AF\r\nX-Keywords: a  b*c $Label1   \r\n\r\nStatus: x\r\nX-Status: D\r\n"},
			`[\Seen \Answered \Flagged a $Label1]`},
		{"Thunderbird", "From - Tue Feb 03 04:05:06 2026\nX-Mozilla-Status: 1005\nX-Mozilla-Status2: 00000000\n\nx\n",
			[]string{"X-Mozilla-Status: 1005\r\nX-Mozilla-Status2: 00000000\r\n\r\nx\r\n"}, `[\Seen \Flagged $Forwarded]`},
		{"folder of nobody", from + "Status: RO\nX-Status:\nX-Keywords:\nX-Folder: ../x\n\n",
			[]string{"Status: RO\r\nX-Status:\r\nX-Keywords:\r\nX-Folder: ../x\r\n"}, `[\Seen]`},
		{"header without an end", from + "X: " + strings.Repeat("x", 200_000) + "\nStatus: R\n",
			[]string{"X: " + strings.Repeat("x", 200_000) + "\r\nStatus: R\r\n"}, `[\Seen]`},
		{"nothing", "", nil, "[]"},
		{"only a line", from, []string{""}, "[]"},
	} {
		got, err := readAll(test.text)
		if err != nil || len(got) != len(test.want) {
			t.Errorf("%s: %d messages, %v", test.name, len(got), err)
			continue
		}
		for i, l := range got {
			if l.content != test.want[i] {
				t.Errorf("%s: message %d is %.100q, want %.100q", test.name, i, l.content, test.want[i])
			}
		}
		if len(got) > 0 && fmt.Sprint(got[0].Flags) != test.flags {
			t.Errorf("%s: flags %v, want %s", test.name, got[0].Flags, test.flags)
		}
	}
	for _, text := range []string{"x", "\n" + from, "Subject: x\n", "From me to you\n", " " + from, "\xff\xfe"} {
		if _, err := readAll(text); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v, want ErrFormat", text, err)
		}
	}
}

func TestParseSeparator(t *testing.T) {
	for _, test := range []struct{ line, sender, date string }{
		{"From ann@example.org Mon Jan  2 15:04:05 2006", "ann@example.org", "2006-01-02T15:04:05Z"},
		{"From  Mon Jan 12 15:04:05 2006", "", "2006-01-12T15:04:05Z"},
		{"From - Mon Jan 02 15:04:05 2006", "-", "2006-01-02T15:04:05Z"},
		{"From ann Mon Jan 2 15:04 2006", "ann", "2006-01-02T15:04:00Z"},
		{"From ann Mon Jan 2 15:04:05 +0200 2006", "ann", "2006-01-02T13:04:05Z"},
		{"From ann Mon Jan 2 15:04:05 2006 -0730", "ann", "2006-01-02T22:34:05Z"},
		{"From ann Mon Jan 2 15:04:05 GMT 2006", "ann", "2006-01-02T15:04:05Z"},
		{"From ann Mon Jan 2 15:04:05 PST 2006", "ann", "2006-01-02T15:04:05Z"},
		{"From ann Mon Jan 2 15:04:05 2006 remote from vax", "ann", "2006-01-02T15:04:05Z"},
		{`From "ann b"@example.org Mon Jan  2 15:04:05 2006`, `"ann b"@example.org`, "2006-01-02T15:04:05Z"},
		{"From Mon Mon Jan  2 15:04:05 2006", "Mon", "2006-01-02T15:04:05Z"},
		{"From ann Mon Jan 32 15:04:05 2006", "", ""},
		{"From ann Mon Jan 2 25:04:05 2006", "", ""},
		{"From ann Mon Foo 2 15:04:05 2006", "", ""},
		{"From ann Jan 2 15:04:05 2006", "", ""},
		{"From ann Mon Jan 2 15:04:05", "", ""},
		{"From ann", "", ""},
		{"From: ann Mon Jan  2 15:04:05 2006", "", ""},
		{"from ann Mon Jan  2 15:04:05 2006", "", ""},
		{"From " + strings.Repeat("x ", 20) + "Mon Jan  2 15:04:05 2006", "", ""},
		{"From " + strings.Repeat("x", 3000) + " Mon Jan  2 15:04:05 2006", "", ""},
	} {
		sender, date, ok := parseSeparator(test.line)
		if ok != (test.date != "") || ok && (sender != test.sender || date.Format(time.RFC3339) != test.date) {
			t.Errorf("%.60q: %q, %v, %v", test.line, sender, date, ok)
		}
	}
}

// 100 MB take no more memory than a line does, be they lines, one line, or nothing but the beginning of a quotation.
func TestConstantMemory(t *testing.T) {
	const size = 100 << 20
	for name, block := range map[string]string{
		"lines": strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1000), "one line": strings.Repeat("y", 70_000), "quotation": strings.Repeat(">", 70_000),
	} {
		r, w := io.Pipe()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		go func() {
			out := NewWriter(w)
			err := out.Write(Message{Date: time.Unix(0, 0)}, io.LimitReader(&endless{block: block}, size))
			w.CloseWithError(errors.Join(err, out.Flush()))
		}()
		n := counter(0)
		if _, err := NewReader(r).Next(&n); err != nil || n != size {
			t.Errorf("%s: %d octets came back, %v", name, n, err)
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
			t.Errorf("%s: %d octets allocated", name, grown)
		}
	}
}

type endless struct {
	block string
	at    int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.block[e.at:])
	e.at = (e.at + n) % len(e.block)
	return n, nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// Errors of the file and of whoever takes the content are told.
func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	text := writeAll(t, []letter{{Message{}, strings.Repeat("x\r\n", 100_000)}, {Message{}, "y"}})
	r := NewReader(io.MultiReader(strings.NewReader(text[:150_000]), failing{broken}))
	if _, err := r.Next(io.Discard); !errors.Is(err, broken) {
		t.Errorf("file that breaks off: %v", err)
	}
	if _, err := NewReader(strings.NewReader(text)).Next(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("content that nobody can take: %v", err)
	}
	w := NewWriter(io.Discard)
	if err := w.Write(Message{}, io.MultiReader(strings.NewReader("x\r\n"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("content that breaks off: %v", err)
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error)  { return 0, f.error }
func (f failing) Write([]byte) (int, error) { return 0, f.error }

// Any file is read to its end or refused, and what was read comes back when it is written.
func FuzzReader(f *testing.F) {
	for _, c := range contents() {
		if len(c) < 1000 {
			f.Add("From x Mon Jan  2 15:04:05 2006\n" + c)
			f.Add(writeAll(f, []letter{{Message{Date: time.Unix(1, 0)}, c}, {Message{Date: time.Unix(2, 0), Folder: "a"}, "x"}}))
		}
	}
	f.Add("From x Mon Jan  2 15:04:05 2006\r\nStatus: RO\r\nX-Status: \r\nX-Keywords: a\r\nX-Folder: INBOX\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := readAll(text)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		for i := range first {
			if y := first[i].Date.Year(); y < 1000 || y > 9999 {
				return // asctime has four digits
			}
		}
		second, err := readAll(writeAll(t, first))
		if err != nil || len(second) != len(first) {
			t.Fatalf("%d messages became %d, %v", len(first), len(second), err)
		}
		for i, l := range second {
			if l.content != wire(first[i].content) || !l.Date.Equal(first[i].Date) || l.Folder != first[i].Folder || !sameFlags(l.Flags, first[i].Flags) {
				t.Fatalf("%+v became %+v", first[i], l)
			}
		}
	})
}

func sameFlags(a, b []store.Flag) bool {
	sorted := func(flags []store.Flag) []store.Flag { return slices.Compact(slices.Sorted(slices.Values(flags))) }
	return reflect.DeepEqual(sorted(a), sorted(b))
}
