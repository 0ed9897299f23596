package maildir

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// convertAll runs text through a converter in blocks of n octets, as writeMessage does.
func convertAll(text string, n int) (string, sizes) {
	var conv converter
	var all bytes.Buffer
	block := make([]byte, n)
	for held := 0; text != "" || held > 0; {
		m := copy(block[held:], text)
		text = text[m:]
		out, rest := conv.convert(block[:held+m], text == "")
		all.Write(out)
		held = copy(block, rest)
	}
	return all.String(), conv.sizes
}

func TestConvert(t *testing.T) {
	for _, test := range []struct {
		in, out string
		wire    int64
	}{
		{"", "", 0},
		{"a", "a", 1},
		{"\r\n", "\n", 2},
		{"a\r\nb\r\n", "a\nb\n", 6},
		{"\r\n\r\n\r\n", "\n\n\n", 6},
		{"a\rb", "a\rb", 3},
		{"a\r", "a\r", 2},
		{"\r\r\r", "\r\r\r", 3},
		{"a\nb\n", "a\nb\n", 6}, // a reader cannot tell
		{"a\r\r\nb", "a\r\r\nb", 5},
		{"a\r\r\r\nb\r\n", "a\r\r\r\nb\n", 8},
		{"\n\r\n\r", "\n\n\r", 5},
		{"\r\n\n\r\n", "\n\n\n", 6},
	} {
		for n := 2; n < 12; n++ {
			out, size := convertAll(test.in, n)
			if out != test.out || size.disk != int64(len(test.out)) || size.wire != test.wire {
				t.Errorf("%q in blocks of %d: %q, %+v, want %q, %d octets on the wire", test.in, n, out, size, test.out, test.wire)
			}
		}
	}
}

// toWire reads text as a message of that text is read.
func toWire(t testing.TB, text string, wrap func(io.Reader) io.Reader) string {
	t.Helper()
	r := newWireReader(io.NopCloser(strings.NewReader(text)))
	defer r.Close()
	b, err := io.ReadAll(wrap(r))
	must(t, err)
	return string(b)
}

func TestWireReader(t *testing.T) {
	for in, out := range map[string]string{
		"": "", "a": "a", "\n": "\r\n", "\n\n": "\r\n\r\n", "a\nb\n": "a\r\nb\r\n", "a\r\nb\n": "a\r\nb\r\n", "\r": "\r", "a\rb\r\r\n": "a\rb\r\r\n",
		strings.Repeat("x\n", 40_000): strings.Repeat("x\r\n", 40_000),
		strings.Repeat("\n", 70_000):  strings.Repeat("\r\n", 70_000),
		strings.Repeat("\r", 70_000):  strings.Repeat("\r", 70_000),
	} {
		for _, wrap := range []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader,
		} {
			if got := toWire(t, in, wrap); got != out {
				t.Errorf("%.20q (%d octets) reads as %.20q (%d octets)", in, len(in), got, len(got))
			}
		}
	}
}

// What was on the wire is what is read, if its bare LFs are taken for line ends, however it is cut into blocks.
func FuzzConvert(f *testing.F) {
	for _, seed := range []string{"a\r\nb\r\n", "\r\r\n", "\n\r\n\r", "a\rb\n"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		disk, size := convertAll(text, 2+int(uint(n)%64))
		wire := strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
		if got := toWire(t, disk, func(r io.Reader) io.Reader { return r }); got != wire {
			t.Fatalf("%q lies as %q and reads as %q", text, disk, got)
		}
		if size.disk != int64(len(disk)) || size.wire != int64(len(wire)) {
			t.Fatalf("%q: sizes %+v, want %d, %d", text, size, len(disk), len(wire))
		}
	})
}

func BenchmarkConvert(b *testing.B) {
	text, err := io.ReadAll(message(10 << 10))
	must(b, err)
	block := make([]byte, len(text))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var conv converter
		copy(block, text)
		conv.convert(block, true)
	}
}
