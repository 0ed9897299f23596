package smtp

import (
	"errors"
	"strings"
	"testing"
)

func TestParseReplyLine(t *testing.T) {
	for _, tt := range []struct {
		line string
		want Reply
		more bool
		ok   bool
	}{
		{"250 2.1.5 <a@b> Delivered", Reply{250, StatusValidRecipient, "<a@b> Delivered"}, false, true},
		{"250-2.1.5 one of two", Reply{250, StatusValidRecipient, "one of two"}, true, true},
		{"250 2.1.5", Reply{250, StatusValidRecipient, ""}, false, true},
		{"250 2.1.5 2.1.5 twice", Reply{250, StatusValidRecipient, "2.1.5 twice"}, false, true},
		{"538 5.7.11 needs TLS", Reply{538, StatusEncryptionRequired, "needs TLS"}, false, true},
		{"250", Reply{250, "", ""}, false, true},
		{"250 ", Reply{250, "", ""}, false, true},
		{"250-", Reply{250, "", ""}, true, true},
		{"220 mx.example.org ESMTP", Reply{220, "", "mx.example.org ESMTP"}, false, true},
		{"354 go\xff on", Reply{354, "", "go\xff on"}, false, true},
		// RFC 2034 §4: a class that disagrees with the code is no status.
		{"250 5.1.1 hm", Reply{250, "", "5.1.1 hm"}, false, true},
		{"550 5.1 hm", Reply{550, "", "5.1 hm"}, false, true},
		{"550 5.1.1.1 hm", Reply{550, "", "5.1.1.1 hm"}, false, true},
		{"550 5..1 hm", Reply{550, "", "5..1 hm"}, false, true},
		{"550 5.1111.1 hm", Reply{550, "", "5.1111.1 hm"}, false, true},
		{"550 55.1.1 hm", Reply{550, "", "55.1.1 hm"}, false, true},
		{"550 5.a.1 hm", Reply{550, "", "5.a.1 hm"}, false, true},
		{"", Reply{}, false, false},
		{"25", Reply{}, false, false},
		{"ok", Reply{}, false, false},
		{"2500 ok", Reply{}, false, false},
		{"250\tok", Reply{}, false, false},
		{"250_ok", Reply{}, false, false},
		{" 250 ok", Reply{}, false, false},
		{"150 ok", Reply{}, false, false},
		{"650 ok", Reply{}, false, false},
		{"2x0 ok", Reply{}, false, false},
		{"٢50 ok", Reply{}, false, false},
	} {
		r, more, err := ParseReplyLine(tt.line)
		if r != tt.want || more != tt.more || (err == nil) != tt.ok {
			t.Errorf("%q: %+v, %v, %v; want %+v, %v", tt.line, r, more, err, tt.want, tt.more)
		}
		if err != nil && !errors.Is(err, ErrBadReply) {
			t.Errorf("%q: %v", tt.line, err)
		}
	}
}

func TestReplyAppend(t *testing.T) {
	for _, tt := range []struct {
		reply Reply
		want  string
	}{
		{Reply{250, StatusValidRecipient, "kept"}, "250 2.1.5 kept\r\n"},
		{Reply{354, "", "Go ahead"}, "354 Go ahead\r\n"},
		{Reply{250, "", ""}, "250 \r\n"},
		{Reply{550, StatusNoMailbox, ""}, "550 5.1.1 \r\n"},
		// RFC 2034 §4: the status stands on every line.
		{Reply{451, StatusSystem, "one\ntwo"}, "451-4.3.0 one\r\n451 4.3.0 two\r\n"},
		{Reply{250, "", "mx\nSIZE\nPIPELINING"}, "250-mx\r\n250-SIZE\r\n250 PIPELINING\r\n"},
		{Reply{250, "", "\n"}, "250-\r\n250 \r\n"},
		{Reply{550, StatusNoMailbox, "a\r\x00\x7f\tü"}, "550 5.1.1 a???\tü\r\n"},
	} {
		if got := string(tt.reply.Append([]byte("x"))); got != "x"+tt.want {
			t.Errorf("%+v: %q, want %q", tt.reply, got, tt.want)
		}
	}
}

func TestReplyWords(t *testing.T) {
	for _, tt := range []struct {
		code                           int
		positive, transient, permanent bool
	}{
		{199, false, false, false}, {200, true, false, false}, {250, true, false, false}, {354, true, false, false},
		{399, true, false, false}, {400, false, true, false}, {499, false, true, false}, {500, false, false, true},
		{599, false, false, true}, {600, false, false, false}, {0, false, false, false},
	} {
		r := Reply{Code: tt.code}
		if r.Positive() != tt.positive || r.Transient() != tt.transient || r.Permanent() != tt.permanent {
			t.Errorf("%d: %v %v %v", tt.code, r.Positive(), r.Transient(), r.Permanent())
		}
		if r.IsZero() != (tt.code == 0) {
			t.Errorf("%d: zero %v", tt.code, r.IsZero())
		}
	}
}

func TestReplyFor(t *testing.T) {
	r := Reply{550, StatusNoMailbox, "No such mailbox"}.For(Path{"a b", "example.org"})
	if got, want := r.Error(), `550 5.1.1 <"a b"@example.org> No such mailbox`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := r.Enhanced(); got != "5.1.1" {
		t.Errorf("enhanced %q", got)
	}
	if got := (Reply{Code: 354}).Enhanced(); got != "" {
		t.Errorf("enhanced of none %q", got)
	}
}

// A line that is a reply is one again when it is written, and no text makes two replies of one.
func FuzzReplyLine(f *testing.F) {
	f.Add("250-2.1.5 ok")
	f.Add("550 5.1.1")
	f.Fuzz(func(t *testing.T, line string) {
		line, _, _ = strings.Cut(line, "\n")
		r, _, err := ParseReplyLine(line)
		if err != nil {
			return
		}
		wire := string(r.Append(nil))
		if strings.Count(wire, "\n") != 1 || strings.Count(wire, "\r") != 1 || !strings.HasSuffix(wire, "\r\n") {
			t.Fatalf("%q is written %q", line, wire)
		}
		again, more, err := ParseReplyLine(strings.TrimSuffix(wire, "\r\n"))
		if err != nil || more || again.Code != r.Code || again.Status != r.Status || len(again.Text) != len(r.Text) {
			t.Errorf("%q is %+v, again %+v, %v", line, r, again, err)
		}
	})
}

// However its text was come by, a reply is as many lines as its text has, all with the same code.
func FuzzReplyAppend(f *testing.F) {
	f.Add(250, "ok\r\n550 no")
	f.Fuzz(func(t *testing.T, code int, text string) {
		r := Reply{Code: 200 + (code&0x7fffffff)%400, Status: StatusNone, Text: text}
		lines := strings.Split(strings.TrimSuffix(string(r.Append(nil)), "\r\n"), "\r\n")
		if len(lines) != strings.Count(text, "\n")+1 {
			t.Fatalf("%q is written in %d lines", text, len(lines))
		}
		for i, line := range lines {
			got, more, err := ParseReplyLine(line)
			want := r.Status
			if r.Code/100 == 3 {
				want = ""
			}
			if err != nil || got.Code != r.Code || got.Status != want || more != (i < len(lines)-1) {
				t.Errorf("line %d, %q: %+v, %v, %v", i, line, got, more, err)
			}
		}
	})
}
