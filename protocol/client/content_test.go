package client

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"lmtpd/protocol/smtp"
)

func TestStuffer(t *testing.T) {
	for _, tt := range []struct {
		name, in, toCRLF, asIs string
	}{
		{"nothing", "", ".\r\n", ".\r\n"},
		{"LF", "a\nb\n", "a\r\nb\r\n.\r\n", "a\nb\n\r\n.\r\n"},
		{"CRLF", "a\r\nb\r\n", "a\r\nb\r\n.\r\n", "a\r\nb\r\n.\r\n"},
		{"no end", "a", "a\r\n.\r\n", "a\r\n.\r\n"},
		{"CR at the end", "a\r", "a\r\r\n.\r\n", "a\r\r\n.\r\n"},
		{"CR alone", "a\rb\r\n", "a\rb\r\n.\r\n", "a\rb\r\n.\r\n"},
		{"CR CR LF", "a\r\r\n", "a\r\r\n.\r\n", "a\r\r\n.\r\n"},
		{"RFC 5321 §4.5.2 dots", ".\r\n..\r\na.\r\n.b", "..\r\n...\r\na.\r\n..b\r\n.\r\n", "..\r\n...\r\na.\r\n..b\r\n.\r\n"},
		{"dot after LF", "a\n.\nb\n", "a\r\n..\r\nb\r\n.\r\n", "a\n.\nb\n\r\n.\r\n"},
		{"dot after CR", "\r.\r\n", "\r.\r\n.\r\n", "\r.\r\n.\r\n"},
		{"empty lines", "\n\r\n\n", "\r\n\r\n\r\n.\r\n", "\n\r\n\n\r\n.\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for size := 1; size <= len(tt.in)+1; size++ {
				if got := wireForm(tt.in, ToCRLF, size); got != tt.toCRLF {
					t.Errorf("blocks of %d: %q, want %q", size, got, tt.toCRLF)
				}
				if got := wireForm(tt.in, AsIs, size); got != tt.asIs {
					t.Errorf("as is, blocks of %d: %q, want %q", size, got, tt.asIs)
				}
			}
		})
	}
}

// wireForm stuffs s in blocks of that size.
func wireForm(s string, ends LineEnds, size int) string {
	st, b := stuffer{ends: ends}, []byte(nil)
	for len(s) > 0 {
		n := min(size, len(s))
		b = st.append(b, []byte(s[:n]))
		s = s[n:]
	}
	return string(st.end(b))
}

// What a server makes of the wire form is the content again, and the final dot stands nowhere but at the end.
func FuzzStuffer(f *testing.F) {
	f.Add("a\n.b\r\n..\r\n\r.\n", 3)
	f.Add("\r\n.\r\n", 1)
	f.Fuzz(func(t *testing.T, in string, size int) {
		size = max(1, size%100)
		for _, ends := range []LineEnds{ToCRLF, AsIs} {
			want := in
			if ends == ToCRLF {
				want = strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\n", "\r\n")
			}
			if want != "" && !strings.HasSuffix(want, "\r\n") {
				want += "\r\n"
			}
			wire := "\r\n" + wireForm(in, ends, size)
			if n := strings.Index(wire, "\r\n.\r\n"); n != len(wire)-5 {
				t.Fatalf("%q: the final dot is at %d of %q", in, n, wire)
			}
			if got := strings.ReplaceAll(wire[:len(wire)-3], "\r\n.", "\r\n")[2:]; got != want {
				t.Errorf("%q becomes %q, want %q", in, got, want)
			}
		}
	})
}

// Content of many blocks arrives whole however it is read, and memory does not grow with it.
func TestLargeContent(t *testing.T) {
	line := strings.Repeat(".", 76) + "\n"
	text := strings.Repeat(line, 4*blockSize/len(line))
	wire := wireForm(text, ToCRLF, len(text))
	for name, r := range map[string]io.Reader{
		"whole":           strings.NewReader(text),
		"small pieces":    iotest.HalfReader(iotest.OneByteReader(strings.NewReader(text))),
		"end with octets": iotest.DataErrReader(strings.NewReader(text)),
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			c := talk(t, &got)
			m := letter("ann")
			m.Content = r
			if results, err := c.Send(t.Context(), m); err != nil || !results[0].Delivered() {
				t.Fatal(told(results), err)
			}
			if got.String() != wire {
				t.Errorf("%d octets arrived, want %d", got.Len(), len(wire))
			}
			if cap(c.out) > 8*blockSize {
				t.Errorf("the buffer grew to %d octets", cap(c.out))
			}
		})
	}
}

func BenchmarkStuffer(b *testing.B) {
	for name, line := range map[string]string{"LF": "\n", "CRLF": "\r\n"} {
		b.Run(name, func(b *testing.B) {
			block := []byte(strings.Repeat(strings.Repeat("x", 76)+line, blockSize/78))
			s, out := stuffer{}, make([]byte, 0, 2*blockSize)
			b.SetBytes(int64(len(block)))
			b.ReportAllocs()
			for b.Loop() {
				out = s.append(out[:0], block)
			}
		})
	}
}

func BenchmarkSend(b *testing.B) {
	text := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 130)
	c := talk(b, nil)
	m := Message{Recipients: recipients("ann"), Size: int64(len(text)), Body: smtp.Body8Bit}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		m.Content = strings.NewReader(text)
		if results, err := c.Send(b.Context(), m); err != nil || !results[0].Delivered() {
			b.Fatal(told(results), err)
		}
	}
}
