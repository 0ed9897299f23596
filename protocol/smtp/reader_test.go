package smtp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"lmtpd/protocol/smtp"
)

// referenceLine reads one line of s, an octet at a time, as RFC 5321 §2.3.8 says it, and returns what follows.
func referenceLine(s string, limit int) (line, rest string, err error) {
	if s == "" {
		return "", "", io.EOF
	}
	stray := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n':
			switch {
			case i+2 > limit:
				err = smtp.ErrLineTooLong
			case stray:
				err = smtp.ErrBareLineEnd
			}
			return s[:i], s[i+2:], err
		case s[i] == '\r' || s[i] == '\n':
			stray = true
		}
	}
	return "", "", io.ErrUnexpectedEOF
}

// referenceContent reads content of s, an octet at a time, and returns what follows its final dot.
func referenceContent(s string) (content, rest string, err error) {
	var b strings.Builder
	atStart := true
	for i := 0; i < len(s); i++ {
		if atStart && s[i] == '.' {
			if strings.HasPrefix(s[i+1:], "\r\n") {
				return b.String(), s[i+3:], io.EOF
			}
			if i++; i == len(s) || s[i:] == "\r" {
				break
			}
		}
		b.WriteByte(s[i])
		atStart = strings.HasSuffix(s[:i+1], "\r\n")
	}
	return b.String(), "", io.ErrUnexpectedEOF
}

// A source gives its text in pieces, and tells when it is asked for more than there is.
type source struct {
	pieces []string
	reads  int
}

func (s *source) Read(p []byte) (int, error) {
	s.reads++
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	if s.pieces[0] = s.pieces[0][n:]; s.pieces[0] == "" {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

// sources returns the ways in which text may come: at once, in single octets, with the error of the end beside
// the last of it, with reads of nothing, and divided at each place.
func sources(text string) map[string]io.Reader {
	all := map[string]io.Reader{
		"whole":      strings.NewReader(text),
		"octets":     iotest.OneByteReader(strings.NewReader(text)),
		"halves":     iotest.HalfReader(strings.NewReader(text)),
		"data error": iotest.DataErrReader(strings.NewReader(text)),
		"empty":      &emptyReads{r: strings.NewReader(text)},
	}
	if len(text) < 200 {
		for i := 1; i < len(text); i++ {
			all[fmt.Sprint("split at ", i)] = &source{pieces: []string{text[:i], text[i:]}}
		}
	}
	return all
}

type emptyReads struct {
	r     io.Reader
	calls int
}

func (e *emptyReads) Read(p []byte) (int, error) {
	if e.calls++; e.calls%3 > 0 {
		return 0, nil
	}
	return e.r.Read(p[:min(len(p), 2)])
}

// lines reads all lines of r.
func lines(r *smtp.Reader, limit int) (all []string) {
	for {
		line, err := r.ReadLine(limit)
		switch {
		case errors.Is(err, smtp.ErrLineTooLong), errors.Is(err, smtp.ErrBareLineEnd):
			all = append(all, err.Error())
		case err != nil:
			return append(all, err.Error())
		default:
			all = append(all, fmt.Sprintf("%q", line))
		}
	}
}

// referenceLines says what lines should return.
func referenceLines(text string, limit int) (all []string) {
	for {
		line, rest, err := referenceLine(text, limit)
		switch {
		case errors.Is(err, smtp.ErrLineTooLong), errors.Is(err, smtp.ErrBareLineEnd):
			all = append(all, err.Error())
		case err != nil:
			return append(all, err.Error())
		default:
			all = append(all, fmt.Sprintf("%q", line))
		}
		text = rest
	}
}

func TestReadLine(t *testing.T) {
	const eof, cut, bare = "EOF", "unexpected EOF", "CR or LF alone in a line"
	long := "line too long"
	for text, want := range map[string][]string{
		"":                        {eof},
		"\r\n":                    {`""`, eof},
		"NOOP\r\n":                {`"NOOP"`, eof},
		"NOOP\r\nQUIT\r\n":        {`"NOOP"`, `"QUIT"`, eof},
		"NOOP":                    {cut},
		"NOOP\r":                  {cut},
		"NOOP\n":                  {cut},
		"NOOP\nQUIT\r\n":          {bare, eof},
		"NOOP\rQUIT\r\nNOOP\r\n":  {bare, `"NOOP"`, eof},
		"NOOP\r\r\n":              {bare, eof},
		"NOOP\n\r\n":              {bare, eof},
		"\n\r\n\r\n":              {bare, `""`, eof},
		"just eleven\r\n":         {long, eof},
		"exactly 12\r\n":          {`"exactly 12"`, eof},
		"more\nthan 12\r\nok\r\n": {long, `"ok"`, eof},
		"more than 12.\r":         {cut},
		"\x00\xff\r\n":            {`"\x00\xff"`, eof},
	} {
		for name, src := range sources(text) {
			if got := lines(smtp.NewReader(src), 12); !slices.Equal(got, want) {
				t.Errorf("%q, %s: %q, want %q", text, name, got, want)
			}
		}
		if got := referenceLines(text, 12); !slices.Equal(got, want) {
			t.Errorf("%q: the reference has %q, want %q", text, got, want)
		}
	}
}

// TestReadLineLimits covers lines about as long as the limits and the buffers.
func TestReadLineLimits(t *testing.T) {
	for _, limit := range []int{smtp.MaxCommand, 12288} {
		for _, n := range []int{limit - 3, limit - 2, limit - 1, 1<<16 + 1, 150_000} {
			for _, filling := range []string{"x", "\n\r"} {
				text := strings.Repeat(filling, n/len(filling)) + "\r\nNOOP\r\n" + strings.Repeat("y", n)
				want := referenceLines(text, limit)
				for name, src := range sources(text) {
					if got := lines(smtp.NewReader(src), limit); !slices.Equal(got, want) {
						t.Errorf("limit %d, %d octets of %q, %s: %.60q, want %.60q", limit, n, filling, name, got, want)
					}
				}
			}
		}
	}
}

// TestNoReadAhead proves that the reader does not wait for octets that it does not need.
func TestNoReadAhead(t *testing.T) {
	src := &source{pieces: []string{"DATA\r\nhi\r\n.\r\nBDAT 3\r\nabcNOOP\r\n", "QUIT\r\n"}}
	r := smtp.NewReader(src)
	_, _ = r.ReadLine(smtp.MaxCommand)
	content, err := io.ReadAll(r.Content())
	if string(content) != "hi\r\n" || err != nil {
		t.Errorf("content %q, %v", content, err)
	}
	_, _ = r.ReadLine(smtp.MaxCommand)
	chunk, err := io.ReadAll(r.Chunk(3))
	if string(chunk) != "abc" || err != nil {
		t.Errorf("chunk %q, %v", chunk, err)
	}
	line, err := r.ReadLine(smtp.MaxCommand)
	if string(line) != "NOOP" || err != nil || src.reads != 1 {
		t.Errorf("line %q, %v after %d reads", line, err, src.reads)
	}
	if r.Buffered() != 0 {
		t.Errorf("%d octets are read ahead", r.Buffered())
	}
	if line, err = r.ReadLine(smtp.MaxCommand); string(line) != "QUIT" || err != nil || src.reads != 2 {
		t.Errorf("line %q, %v after %d reads", line, err, src.reads)
	}
}

// TestReadError proves that an error of the connection is told as it is.
func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	after := func(text string) *smtp.Reader {
		return smtp.NewReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)))
	}
	if _, err := after("NO").ReadLine(100); err != broken {
		t.Errorf("ReadLine: %v", err)
	}
	if _, err := after(strings.Repeat("x", 300)).ReadLine(100); err != broken {
		t.Errorf("ReadLine of a long line: %v", err)
	}
	if b, err := io.ReadAll(after("hi\r\n.").Content()); err != broken || string(b) != "hi\r\n" {
		t.Errorf("Content: %q, %v", b, err)
	}
	if b, err := io.ReadAll(after("hi").Chunk(3)); err != broken || string(b) != "hi" {
		t.Errorf("Chunk: %q, %v", b, err)
	}
	if _, err := smtp.NewReader(nothing{}).ReadLine(100); err != io.ErrNoProgress {
		t.Errorf("a source that gives nothing: %v", err)
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

// TestRelease proves that what is read ahead survives when the large buffer is given back, and when it is kept
// because too much is read ahead.
func TestRelease(t *testing.T) {
	for _, n := range []int{0, 1, 100, 2000, 20_000} {
		r := smtp.NewReader(strings.NewReader("hi\r\n.\r\n" + strings.Repeat("NOOP\r\n", n) + "QUIT\r\n"))
		if _, err := io.Copy(io.Discard, r.Content()); err != nil {
			t.Fatal(err)
		}
		r.Release()
		for i := range n + 1 {
			line, err := r.ReadLine(smtp.MaxCommand)
			if err != nil || i < n && string(line) != "NOOP" || i == n && string(line) != "QUIT" {
				t.Fatalf("line %d of %d: %q, %v", i, n, line, err)
			}
		}
	}
}

// FuzzReader reads lines, content and chunks in turn, as plan says, and compares with the reference.
func FuzzReader(f *testing.F) {
	f.Add([]byte("DATA\r\nhi\r\n..\r\n.\r\nNOOP\r\nabc"), []byte{0, 1, 0, 3}, uint8(1))
	f.Add([]byte("a\nb\r\n.\r.\r\n\n.\n\r\n.\r\n"), []byte{0, 1}, uint8(2))
	f.Add(bytes.Repeat([]byte(".\r\n"), 50), bytes.Repeat([]byte{1}, 50), uint8(0))
	f.Fuzz(func(t *testing.T, octets, plan []byte, segment uint8) {
		const limit = 20
		rest := string(octets)
		r := smtp.NewReader(segmented(octets, int(segment)))
		for _, step := range plan {
			var got, want string
			var gotErr, wantErr error
			switch step {
			case 0:
				var line []byte
				line, gotErr = r.ReadLine(limit)
				got = string(line)
				want, rest, wantErr = referenceLine(rest, limit)
				if wantErr != nil {
					got, want = "", "" // a line that is an error has no text
				}
			case 1:
				got, gotErr = readAll(r.Content(), 1+int(segment)%7)
				want, rest, wantErr = referenceContent(rest)
			default:
				got, gotErr = readAll(r.Chunk(int64(step)), 1+int(segment)%7)
				n := min(len(rest), int(step))
				want, wantErr = rest[:n], io.EOF
				if rest = rest[n:]; n < int(step) {
					wantErr = io.ErrUnexpectedEOF
				}
			}
			if got != want || gotErr != wantErr {
				t.Fatalf("step %d: %q, %v, want %q, %v", step, got, gotErr, want, wantErr)
			}
			if wantErr == io.ErrUnexpectedEOF {
				return
			}
		}
	})
}

// segmented returns a reader of octets in segments of at most n; 0 is no limit.
func segmented(octets []byte, n int) io.Reader {
	if n == 0 {
		return bytes.NewReader(octets)
	}
	s := &source{}
	for piece := range slices.Chunk(octets, n) {
		s.pieces = append(s.pieces, string(piece))
	}
	return s
}

// readAll reads in pieces of at most size octets.
func readAll(r io.Reader, size int) (string, error) {
	var all []byte
	p := make([]byte, size)
	for {
		n, err := r.Read(p)
		all = append(all, p[:n]...)
		if err != nil {
			return string(all), err
		}
	}
}
