package dsn_test

import (
	"bufio"
	"io"
	"maps"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

// decoded returns the octets of a part without its transfer encoding.
func decoded(t testing.TB, p *multipart.Part) string {
	t.Helper()
	var r io.Reader = p
	switch encoding := p.Header.Get("Content-Transfer-Encoding"); encoding {
	case "7bit", "8bit":
	case "quoted-printable":
		r = quotedprintable.NewReader(p)
	default:
		t.Fatalf("encoding %q", encoding)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// statusFields returns the blocks of a message/delivery-status: that of the message, and one for each recipient.
func statusFields(t testing.TB, body string) (blocks []textproto.MIMEHeader) {
	t.Helper()
	r := textproto.NewReader(bufio.NewReader(strings.NewReader(body + "\r\n")))
	for {
		h, err := r.ReadMIMEHeader()
		if len(h) > 0 {
			blocks = append(blocks, h)
		}
		if err == io.EOF {
			return blocks
		} else if err != nil {
			t.Fatalf("%v in %q", err, body)
		}
	}
}

// names returns the names of fields, sorted. It fails if there is more than one of a name.
func names[H ~map[string][]string](t testing.TB, h H) string {
	t.Helper()
	for name, values := range h {
		if len(values) != 1 {
			t.Fatalf("%s: %q", name, values)
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(h)), " ")
}
