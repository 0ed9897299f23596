package smtp_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"lmtpd/protocol/smtp"
)

func TestContent(t *testing.T) {
	for wire, want := range map[string]string{
		".\r\n":                             "",
		"hi\r\n.\r\n":                       "hi\r\n",
		"hi\r\n..\r\n.\r\n":                 "hi\r\n.\r\n",
		"..\r\n.\r\n":                       ".\r\n",
		"...\r\n..x\r\n.y\r\n.\r\n":         "..\r\n.x\r\ny\r\n",
		"a.b.\r\n.\r\n":                     "a.b.\r\n",
		"\r\n\r\n.\r\n":                     "\r\n\r\n",
		"a\n.\n.\r\n\r\n.\r\n":              "a\n.\n.\r\n\r\n",
		"a\n.\r\nb\r\n.\r\n":                "a\n.\r\nb\r\n",
		"a\r.\r\n\r\n.\r\n":                 "a\r.\r\n\r\n",
		"a\r\n.\nb\r\n.\r\n":                "a\r\n\nb\r\n",
		"a\r\n.\rb\r\n.\r\n":                "a\r\n\rb\r\n",
		"a\r\n.\r\r\n.\r\n":                 "a\r\n\r\r\n",
		"a\r\n.\r.\r\n.\r\n":                "a\r\n\r.\r\n",
		"a\r\r\n.\r\n":                      "a\r\r\n",
		"a\r\n.\x00\r\n.\r\n":               "a\r\n\x00\r\n",
		"\n.\r\n\r\n.\r\n":                  "\n.\r\n\r\n",
		"\xff\xfe\x00\r\n.\r\n":             "\xff\xfe\x00\r\n",
		".\n.\r\n\r\n.\r\n":                 "\n.\r\n\r\n",
		".\r\r\n.\r\n":                      "\r\r\n",
		"....................\r\n.\r\n":     "...................\r\n",
		"no dots, and a long line\r\n.\r\n": "no dots, and a long line\r\n",
	} {
		for name, src := range sources(wire + "NOOP\r\n") {
			r := smtp.NewReader(src)
			got, err := readAll(r.Content(), 7)
			if got != want || err != io.EOF {
				t.Errorf("%q, %s: %q, %v, want %q", wire, name, got, err, want)
			}
			if line, err := r.ReadLine(10); string(line) != "NOOP" || err != nil {
				t.Errorf("%q, %s: then %q, %v", wire, name, line, err)
			}
		}
		for _, size := range []int{1, 2, 3, 5, 100} {
			got, err := readAll(smtp.NewReader(strings.NewReader(wire)).Content(), size)
			if got != want || err != io.EOF {
				t.Errorf("%q in pieces of %d: %q, %v, want %q", wire, size, got, err, want)
			}
		}
		if got, rest, err := referenceContent(wire); got != want || rest != "" || err != io.EOF {
			t.Errorf("%q: the reference has %q, %q, %v", wire, got, rest, err)
		}
	}
}

// TestContentCut proves that content that ends before its final dot never ends in io.EOF, wherever it is cut.
func TestContentCut(t *testing.T) {
	const wire = "Subject: hi\r\n\r\n..dots\r\n.\nbare\r\n.\rX\r\n.\r\n"
	for n := range len(wire) {
		for name, src := range sources(wire[:n]) {
			got, err := readAll(smtp.NewReader(src).Content(), 7)
			want, _, _ := referenceContent(wire[:n])
			if got != want || err != io.ErrUnexpectedEOF {
				t.Errorf("cut at %d, %s: %q, %v, want %q", n, name, got, err, want)
			}
		}
	}
}

// TestContentSticky proves that the end of content stays its end.
func TestContentSticky(t *testing.T) {
	r := smtp.NewReader(strings.NewReader(".\r\nNOOP\r\n"))
	c := r.Content()
	for range 3 {
		if n, err := c.Read(make([]byte, 10)); n != 0 || err != io.EOF {
			t.Errorf("%d, %v", n, err)
		}
	}
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("a read into nothing: %d, %v", n, err)
	}
}

// TestContentLarge compares with the reference where content is larger than all buffers.
func TestContentLarge(t *testing.T) {
	r := rand.New(rand.NewPCG(5321, 452))
	pieces := []string{".", ".", "\r\n", "\r\n", "\r", "\n", "\r\n.", "x", strings.Repeat("y", 99), strings.Repeat("z", 70_000)}
	for range 40 {
		var b strings.Builder
		for b.Len() < 200_000 {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		wire := strings.ReplaceAll(b.String(), "\r\n.\r\n", "") + "x\r\n.\r\nNOOP\r\n"
		want, rest, _ := referenceContent(wire)
		for name, src := range map[string]io.Reader{"whole": strings.NewReader(wire), "segments": segmented([]byte(wire), 1460)} {
			rd := smtp.NewReader(src)
			got, err := readAll(rd.Content(), 1+r.IntN(100_000))
			if got != want || err != io.EOF {
				t.Fatalf("%s: %d octets, %v, want %d", name, len(got), err, len(want))
			}
			if after, err := readAll(rd.Chunk(int64(len(rest))), 1000); after != rest || err != io.EOF {
				t.Fatalf("%s: then %d octets, %v, want %d", name, len(after), err, len(rest))
			}
		}
	}
}

func TestChunk(t *testing.T) {
	text := strings.Repeat("0123456789", 20_000)
	for _, n := range []int{0, 1, 9, 4096, 65536, 65537, 199_990} {
		for name, src := range map[string]io.Reader{
			"whole":    strings.NewReader(text + "\r\n"),
			"segments": segmented([]byte(text+"\r\n"), 1460),
		} {
			r := smtp.NewReader(src)
			for _, size := range []int{100, 100_000} {
				part := min(n, 1000)
				if size == 100_000 {
					part = n - min(n, 1000)
				}
				got, err := readAll(r.Chunk(int64(part)), size)
				if len(got) != part || err != io.EOF {
					t.Errorf("%s, %d of %d: %d octets, %v", name, part, n, len(got), err)
				}
			}
			if line, err := r.ReadLine(60_000); n == 199_990 && (string(line) != "0123456789" || err != nil) {
				t.Errorf("%s, after %d octets: %.20q, %v", name, n, line, err)
			}
		}
	}
}

// stray says of text, an octet at a time, whether it has a CR or LF alone.
func stray(text []byte) bool {
	for i, c := range text {
		if c == '\n' && (i == 0 || text[i-1] != '\r') || c == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			return true
		}
	}
	return false
}

func looked(pieces ...[]byte) bool {
	var l smtp.LineEnds
	for _, p := range pieces {
		l.Look(p)
	}
	l.End()
	return l.Bare()
}

// TestLineEnds compares with the naive way for all short texts of the octets that matter, divided everywhere.
func TestLineEnds(t *testing.T) {
	texts := [][]byte{{}}
	for n := 0; n < len(texts); n++ {
		text := texts[n]
		want := stray(text)
		for i := range len(text) + 1 {
			for j := i; j <= len(text); j++ {
				if got := looked(text[:i], text[i:j], text[j:]); got != want {
					t.Fatalf("%q divided at %d and %d: %v, want %v", text, i, j, got, want)
				}
			}
		}
		if len(text) < 6 {
			for _, c := range []byte("x\r\n") {
				texts = append(texts, append(bytes.Clone(text), c))
			}
		}
	}
}

func FuzzLineEnds(f *testing.F) {
	f.Add([]byte("a\r\nb\n"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, at uint8) {
		i := min(int(at), len(text))
		if got := looked(text[:i], text[i:]); got != stray(text) {
			t.Errorf("%q divided at %d: %v", text, i, got)
		}
	})
}

// wires are the contents that are measured, by name, of about n octets on the wire.
func wires(n int) map[string]string {
	var text, code strings.Builder
	for text.Len() < n {
		text.WriteString("The quick brown fox jumps over the lazy dog. It does so every day, at noon\r\n")
	}
	raw := make([]byte, 57)
	r := rand.New(rand.NewPCG(1, 2))
	for code.Len() < n {
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		code.WriteString(base64.StdEncoding.EncodeToString(raw) + "\r\n")
	}
	return map[string]string{
		"text":   text.String() + ".\r\n",
		"base64": code.String() + ".\r\n",
		"dots":   strings.Repeat(strings.Repeat(".", 76)+"\r\n", n/78) + ".\r\n",
	}
}

func BenchmarkContent(b *testing.B) {
	for _, n := range []int{10 << 10, 1 << 20} {
		for name, wire := range wires(n) {
			b.Run(fmt.Sprintf("%s/%dKB", name, n>>10), func(b *testing.B) {
				b.SetBytes(int64(len(wire)))
				b.ReportAllocs()
				src := strings.NewReader(wire)
				r := smtp.NewReader(src)
				p := make([]byte, 64<<10)
				for b.Loop() {
					src.Reset(wire)
					drain(b, r.Content(), p)
				}
			})
		}
	}
}

func BenchmarkLineEnds(b *testing.B) {
	for name, wire := range wires(64 << 10) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(wire)))
			for b.Loop() {
				var l smtp.LineEnds
				l.Look([]byte(wire))
			}
		})
	}
}

func drain(b *testing.B, r io.Reader, p []byte) {
	for {
		if _, err := r.Read(p); err == io.EOF {
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}
