package srs_test

import (
	"strings"
	"testing"

	"lmtpd/protocol/smtp"
)

// What was rewritten is found again, whatever it was.
func FuzzForward(f *testing.F) {
	for _, s := range []string{"ann@example.org", `"a@=b"@[127.0.0.1]`, "SRS0=a=b=c=d@x", "srs1+a=b=+c=d@x", "SRS0-@x", "SRS1===@x", "ü@ü.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := smtp.ParseMailbox(s, smtp.UTF8)
		if err != nil {
			return
		}
		r := newRewriter(t, start(), "forwarder.example", "tops3cret")
		q := r.Forward(p)
		if q == p {
			return
		}
		if again, err := smtp.ParseMailbox(q.String(), smtp.UTF8); again != q || err != nil {
			t.Fatalf("%q becomes %q, which is no address: %v", s, q, err)
		}
		back, err := r.Reverse(q)
		if err != nil {
			t.Fatalf("%q becomes %q: %v", s, q, err)
		}
		if strings.HasPrefix(q.Local, "SRS1=") {
			checkAgain(t, p, back)
		} else if back != p {
			t.Errorf("%q becomes %q and that %q", s, q, back)
		}
	})
}

// checkAgain compares an address that was rewritten by others with where mail to its SRS1 goes: to the first of them.
func checkAgain(t *testing.T, p, back smtp.Path) {
	want := smtp.Path{Local: "SRS0" + p.Local[4:], Domain: p.Domain}
	if smtp.EqualFold(p.Local[:4], "SRS1") {
		f := strings.SplitN(p.Local[5:], "=", 3)
		want = smtp.Path{Local: "SRS0" + f[2], Domain: f[1]}
	}
	if back != want {
		t.Errorf("%q comes back as %q, want %q", p, back, want)
	}
}

// Nothing is taken back that was not rewritten with the secret.
func FuzzReverse(f *testing.F) {
	f.Add("SRS0=gMPl=JR=example.org=ann", "SRS0=gMPl=JR=example.org=ann")
	f.Add("SRS0=AAAA=JR=example.org=ann", "SRS1=AAAA=first==x=y=z=ann")
	f.Add("SRS0+gMPl=JR=eXAmple.org=Ann", "srs0-gmpl=jr=example.org=ann")
	f.Add("SRS0==\xff\xff=a=b", "SRS1==a=")
	f.Fuzz(func(t *testing.T, a, b string) {
		r := newRewriter(t, start(), "forwarder.example", "tops3cret")
		other := newRewriter(t, start(), "forwarder.example", "other")
		for _, local := range []string{a, b} {
			p := smtp.Path{Local: local, Domain: "forwarder.example"}
			back, err := r.Reverse(p)
			if err != nil {
				continue
			}
			if _, err := other.Reverse(p); err == nil {
				t.Errorf("%q is taken back with another secret too", local)
			}
			if again := r.Forward(back); date(again) == date(p) && sum(again) != sum(p) {
				t.Errorf("%q is taken back as %q, which becomes %q", local, back, again)
			}
		}
	})
}

// sum is the hash of a rewritten path, and date what follows it.
func sum(p smtp.Path) string { return strings.SplitN(smtp.Upper(p.Local[5:]), "=", 3)[0] }

func date(p smtp.Path) string { return strings.SplitN(smtp.Upper(p.Local[5:]), "=", 3)[1] }
