package dsn_test

import (
	"io"
	"mime/multipart"
	"mime/quotedprintable"
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
