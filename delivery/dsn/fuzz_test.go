package dsn_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

// Whatever is reported, and whatever of, a notification has its three parts and its fields, and no others.
func FuzzCompose(f *testing.F) {
	f.Add("ann", "bob\r\nBcc: eve", "rfc822;a@b\r\n\r\n", "no\r\n\r\n--x", "mx\r\nX: y", original, uint8(0xff))
	f.Add("a\"\x00", "ü@", "utf-8;\x7f+=\\", "no\n250 yes", "", "Subject: =?utf-8?q?=0D=0AX:_y?=\r\n\n\r\x00", uint8(1))
	f.Add("ü", strings.Repeat("x", 1200), strings.Repeat("x y", 200), strings.Repeat("é\n", 60), "ü", "\xff: \xff\r\n", uint8(3))
	f.Add("ann", "bob", "", "", "", "no header", uint8(2))
	f.Fuzz(func(t *testing.T, from, to, orcpt, reply, server, content string, bits uint8) {
		typ, address, _ := strings.Cut(orcpt, ";")
		r := dsn.Report{
			Hostname: server, ID: reply, Arrived: at(12), From: smtp.Path{Local: from, Domain: "example.org"}, EnvID: orcpt,
			UTF8: smtp.Encoding(bits & 1), Content: strings.NewReader(content),
		}
		if bits&2 != 0 {
			r.Ret = smtp.RetFull
		}
		actions := []dsn.Action{dsn.Failed, dsn.Delayed, dsn.Delivered, dsn.Relayed, dsn.Expanded}
		for i := range 2 {
			r.Recipients = append(r.Recipients, dsn.Recipient{
				Recipient: smtp.Recipient{
					To:       smtp.Path{Local: to, Domain: server},
					Original: smtp.OriginalRecipient{Type: typ, Address: address},
				},
				Action: actions[(int(bits>>2)+i)%len(actions)],
				Reply:  smtp.Reply{Code: int(bits>>5) * 100, Status: smtp.Status(typ[:min(len(typ), 7)]), Text: reply},
				Server: server, Last: at(13), Until: at(15),
			})
		}
		text, env := compose(t, r)
		checkComposed(t, r, text, env)
	})
}

func checkComposed(t *testing.T, r dsn.Report, text string, env *smtp.Envelope) {
	h, parts := read(t, text)
	want := "Auto-Submitted Content-Transfer-Encoding Content-Type Date From Message-Id Mime-Version Subject To"
	got := strings.Replace(strings.Replace(names(t, h), "In-Reply-To ", "", 1), "References ", "", 1)
	if got != want {
		t.Errorf("fields %s", got)
	}
	if (env.Body == smtp.Body8Bit) != !isASCII(text) || (env.UTF8 == smtp.UTF8) != !r.From.ASCII() {
		t.Errorf("envelope %+v of %q", env, text)
	}
	for _, p := range parts {
		if got := names(t, p.header); got != "Content-Description Content-Transfer-Encoding Content-Type" {
			t.Errorf("fields of a part: %s", got)
		}
	}
	blocks := statusFields(t, parts[1].body)
	if len(blocks) != 1+len(r.Recipients) {
		t.Fatalf("%d blocks in %q", len(blocks), parts[1].body)
	}
	for i, b := range blocks {
		known := " Original-Envelope-Id Reporting-Mta Arrival-Date X-Lmtpd-Id "
		if i > 0 {
			known = " Original-Recipient Final-Recipient Action Status Remote-Mta Diagnostic-Code Last-Attempt-Date Will-Retry-Until "
		}
		for name := range strings.FieldsSeq(names(t, b)) {
			if !strings.Contains(known, " "+name+" ") {
				t.Errorf("a field %s in %q", name, parts[1].body)
			}
		}
	}
	switch parts[1].mediaType() {
	case "message/delivery-status":
		if !isASCII(parts[1].body) {
			t.Errorf("not ASCII: %q", parts[1].body)
		}
	case "message/global-delivery-status":
		if r.UTF8 != smtp.UTF8 || !utf8.ValidString(parts[1].body) {
			t.Errorf("not to be UTF-8, or not: %q", parts[1].body)
		}
	default:
		t.Errorf("the second part is %s", parts[1].mediaType())
	}
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
