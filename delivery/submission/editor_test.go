package submission_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"lmtpd/delivery/submission"
)

// edited is what becomes of a content, read in several ways.
func edited(t testing.TB, content string) string {
	t.Helper()
	d := newDesk(func(c *submission.Config) { c.From = submission.Any })
	e := env("ann@example.org", "ann@example.org", 1)
	d.Handler.Deliver(t.Context(), e, strings.NewReader(content))
	d.Handler.Deliver(t.Context(), e, iotest.OneByteReader(strings.NewReader(content)))
	d.Handler.Deliver(t.Context(), e, iotest.DataErrReader(iotest.HalfReader(strings.NewReader(content))))
	if len(d.kept) != 3 || d.kept[1] != d.kept[0] || d.kept[2] != d.kept[0] {
		t.Fatalf("it depends on how it is read: %.200q", d.kept)
	}
	return d.kept[0]
}

const (
	date = "Date: Sat, 28 Nov 2026 10:00:00 +0000\r\n"
	id   = "Message-ID: <ID1@mail.example.org>\r\n"
)

// RFC 6409 §8.2, §8.3, RFC 5322 §3.6.3: what is mended, and nothing else.
func TestEditor(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, test := range []struct{ name, content, want string }{
		{"complete", letter, letter},
		{"neither", "From: a\r\n\r\nHello.\r\n", "From: a\r\n" + date + id + "\r\nHello.\r\n"},
		{"no date", "message-id : x\r\n\r\n", "message-id : x\r\n" + date + "\r\n"},
		{"no id", "DATE:\r\n x\r\n\r\n", "DATE:\r\n x\r\n" + id + "\r\n"},
		{"Bcc", "Bcc: eve@example.net,\r\n\tmallory@example.net\r\nTo: bob\r\nResent-Bcc:x\r\nBCC :y\r\n\r\nBcc: of the body\r\n", "To: bob\r\n" + date + id + "\r\nBcc: of the body\r\n"},
		{"long Bcc", "Bcc: " + long + "\r\n " + long + "\r\nTo: b\r\n\r\n", "To: b\r\n" + date + id + "\r\n"},
		{"names that begin alike", "Bcc2: x\r\nB: y\r\nBc\r\n", "Bcc2: x\r\nB: y\r\n" + date + id + "\r\nBc\r\n"},
		{"no header", "\r\nHello.\r\n", date + id + "\r\nHello.\r\n"},
		{"nothing", "", date + id + "\r\n"},
		{"no body", "To: b\r\n", "To: b\r\n" + date + id + "\r\n"},
		{"header cut off", "To: b", "To: b\r\n" + date + id + "\r\n"},
		{"name cut off", "To", date + id + "\r\nTo"},
		{"Bcc cut off", "To: b\r\nBcc: x", "To: b\r\n" + date + id + "\r\n"},
		{"body at once", "Hello, Bob.\r\nBcc: body\r\n", date + id + "\r\nHello, Bob.\r\nBcc: body\r\n"},
		{"blank in a name", "Dear Bob: hello\r\n", date + id + "\r\nDear Bob: hello\r\n"},
		{"folded at the start", " x: y\r\n\r\n", date + id + "\r\n x: y\r\n\r\n"},
		{"mailbox's line", "From ann Sat Nov 28 10:00:00 2026\r\nTo: b\r\n\r\n", "From ann Sat Nov 28 10:00:00 2026\r\nTo: b\r\n" + date + id + "\r\n"},
		{"mailbox's line without a time", "From ann\r\nTo: b\r\n\r\n", "From ann\r\nTo: b\r\n" + date + id + "\r\n"},
		{"long name", long[:900] + ": x\r\nTo: b\r\n\r\n", long[:900] + ": x\r\nTo: b\r\n" + date + id + "\r\n"},
		{"name that is too long", long + ": x\r\nBcc: b\r\n\r\n", date + id + "\r\n" + long + ": x\r\nBcc: b\r\n\r\n"},
		{"long line of text", long[:500] + "\r\nBcc: body\r\n\r\n", date + id + "\r\n" + long[:500] + "\r\nBcc: body\r\n\r\n"},
		{"longer line of text", long + "\r\nBcc: body\r\n\r\n", date + id + "\r\n" + long + "\r\nBcc: body\r\n\r\n"},
		{"blanks before the colon", "Bcc" + strings.Repeat(" ", 10_000) + ": x\r\n y\r\nTo: b\r\n\r\n", "To: b\r\n" + date + id + "\r\n"},
		{"CR in a value", "To: b\r\r\n c\r\nBcc: x\r\n\r\n", "To: b\r\r\n c\r\n" + date + id + "\r\n"},
		{"CR in a name", "T\ro: b\r\n\r\n", date + id + "\r\nT\ro: b\r\n\r\n"},
		{"8 bits in a name", "T\xf6: b\r\n\r\n", date + id + "\r\nT\xf6: b\r\n\r\n"},
		{"line of blanks in Bcc", "Bcc: x\r\n \r\n y\r\nTo: b\r\n\r\n", "To: b\r\n" + date + id + "\r\n"},
		{"8 bits", "Subject: Gr\xfc\xdfe\r\n\r\n", "Subject: Gr\xfc\xdfe\r\n" + date + id + "\r\n"},
		{"NUL", "Subject: \x00\r\n\r\n\x00", "Subject: \x00\r\n" + date + id + "\r\n\x00"},
		{"many fields", strings.Repeat("X: y\r\n", 100_000) + "\r\n", strings.Repeat("X: y\r\n", 100_000) + date + id + "\r\n"},
		{"date in the body", "To: b\r\n\r\nDate: x\r\n", "To: b\r\n" + date + id + "\r\nDate: x\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := edited(t, test.content); got != test.want {
				t.Errorf("got  %.300q\nwant %.300q", got, test.want)
			}
		})
	}
}

// A header of 10 MB takes no more memory than one of a line.
func TestEditorMemory(t *testing.T) {
	d := newDesk()
	header := io.MultiReader(strings.NewReader("Subject: "), io.LimitReader(endless{}, 10<<20), strings.NewReader("\r\n\r\n"))
	sink := &counter{}
	h := submission.New(submission.Config{Agent: sink, Owners: d.office, Now: d.clock, Log: nil})
	n := testing.AllocsPerRun(1, func() {
		h.Deliver(t.Context(), env("ann@example.org", "", 1), header)
	})
	if sink.octets < 10<<20 || n > 50 {
		t.Errorf("%d octets with %v allocations", sink.octets, n)
	}
}

// FuzzEditor reads any content in pieces of any size: nothing is lost but Bcc, and what is put in is put in once.
func FuzzEditor(f *testing.F) {
	for _, s := range []string{letter, "Bcc: x\r\n y\r\nTo: b\r\n\r\n", "From ann\r\n", "x\r\r\n:", ":\r\n", "a:\r\n\r", "To", " \r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, content string) {
		got := edited(t, content)
		bare := strings.NewReplacer(date, "", id, "").Replace(got)
		if !strings.Contains(strings.ToLower(content), "bcc") && !strings.Contains(content, "Date: Sat") && !strings.Contains(content, "<ID1@") {
			if squeezed(bare) != squeezed(content) {
				t.Errorf("%q became %q", content, got)
			}
		}
		if again := edited(t, got); again != got && !strings.HasPrefix(again, got) {
			t.Errorf("%q, edited again, became %q", got, again)
		}
	})
}

// squeezed is a text without line ends, of which some may have been put in.
func squeezed(s string) string { return strings.ReplaceAll(s, "\r\n", "") }

func BenchmarkEditor(b *testing.B) {
	content := "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: hello\r\nMIME-Version: 1.0\r\n\r\n" + strings.Repeat(strings.Repeat("x", 76)+"\r\n", 128)
	h := submission.New(submission.Config{Agent: &counter{}, Owners: &office{}, Now: newDesk().clock})
	e := env("ann@example.org", "", 1)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		h.Deliver(b.Context(), e, strings.NewReader(content))
	}
}
