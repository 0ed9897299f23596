package certificate_test

import (
	"crypto/tls"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lmtpd/protocol/server/certificate"
)

// A renewed is a store with one certificate that is about to be renewed, its clock, and its log.
type renewed struct {
	*certificate.Store
	*authority
	pair  certificate.Pair
	clock atomic.Int64
	log   strings.Builder
}

func (r *renewed) time() time.Time { return time.Unix(0, r.clock.Load()) }

func newRenewed(t *testing.T) *renewed {
	t.Helper()
	now := time.Now()
	r := &renewed{authority: newAuthority(t, now)}
	r.clock.Store(now.UnixNano())
	r.pair = r.issue(r.forHosts("first.example")).save(t, t.TempDir(), "a")
	r.Store = open(t, certificate.Config{Pairs: []certificate.Pair{r.pair}, Now: r.time, Log: slog.New(slog.NewTextHandler(&r.log, nil))})
	return r
}

// client says which certificate a client is shown.
func (r *renewed) client() string {
	r.t.Helper()
	o := handshake(r.t, r.TLSConfig(), &tls.Config{InsecureSkipVerify: true}).expect(r.t)
	return o.client.PeerCertificates[0].DNSNames[0]
}

// expect lets a second pass and a client come, which is to be shown a certificate, while so much is said in the log.
func (r *renewed) expect(name, log string) {
	r.t.Helper()
	r.clock.Add(int64(time.Second))
	if got := r.client(); got != name {
		r.t.Errorf("shown %s, want %s", got, name)
	}
	if got := withoutTime(r.log.String()); got != log {
		r.t.Errorf("the log says\n%s\nwant\n%s", got, log)
	}
	r.log.Reset()
}

// withoutTime leaves the time out of each line of a log.
func withoutTime(log string) string {
	var lines []string
	for line := range strings.Lines(log) {
		_, line, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Files are looked at for a client once a second, and for who asks at any time.
func TestReload(t *testing.T) {
	r := newRenewed(t)
	r.issue(r.forHosts("second.example")).save(t, t.TempDir(), "b")
	second := r.issue(r.forHosts("second.example"))
	write(t, r.pair.Certificate, pemOf(second.cert))
	write(t, r.pair.Key, keyPEM(t, second.key))
	r.clock.Add(int64(time.Second - 1))
	if got := r.client(); got != "first.example" {
		t.Errorf("looked at after less than a second: %s", got)
	}
	r.expect("second.example", `level=INFO msg="certificate read" file=`+r.pair.Certificate)
	r.expect("second.example", "")
	third := r.issue(r.forHosts("third.example"))
	write(t, r.pair.Certificate, pemOf(third.cert))
	write(t, r.pair.Key, keyPEM(t, third.key))
	r.Look()
	if got := r.client(); got != "third.example" {
		t.Errorf("not looked at when asked: %s", got)
	}
}

// Between the two files of a renewal the old pair is kept, and nothing is said; unless the other file never comes.
func TestReloadHalfway(t *testing.T) {
	for _, keyFirst := range []bool{true, false} {
		r := newRenewed(t)
		second := r.issue(r.forHosts("second.example"))
		if keyFirst {
			write(t, r.pair.Key, keyPEM(t, second.key))
		} else {
			write(t, r.pair.Certificate, pemOf(second.cert))
		}
		r.expect("first.example", "")
		complaint := `level=ERROR msg="certificate cannot be taken; the old one is kept" file=` + r.pair.Certificate + ` cause="` + r.pair.Certificate +
			` and ` + r.pair.Key + `: the key does not fit the certificate: tls: private key does not match public key"`
		r.expect("first.example", complaint)
		r.expect("first.example", "")
		write(t, r.pair.Certificate, pemOf(second.cert))
		write(t, r.pair.Key, keyPEM(t, second.key))
		r.expect("second.example", `level=INFO msg="certificate read" file=`+r.pair.Certificate)
	}
}

// What cannot be taken leaves the old pair in use, and is told once, as is that the old files are back.
func TestReloadBroken(t *testing.T) {
	r := newRenewed(t)
	old := []byte(read(t, r.pair.Certificate))
	for _, tt := range []struct {
		name  string
		spoil func(path string)
		cause string
	}{
		{"emptied", func(path string) { write(t, path, nil) }, r.pair.Certificate + ": there is no certificate in PEM in it"},
		{"removed", func(path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, "stat " + r.pair.Certificate + ": no such file or directory"},
		{"cut off", func(path string) { write(t, path, old[:len(old)/2]) }, r.pair.Certificate + ": there is no certificate in PEM in it"},
	} {
		tt.spoil(r.pair.Certificate)
		r.expect("first.example", "")
		r.expect("first.example", `level=ERROR msg="certificate cannot be taken; the old one is kept" file=`+r.pair.Certificate+` cause="`+tt.cause+`"`)
		r.expect("first.example", "")
		write(t, r.pair.Certificate, old)
		r.expect("first.example", `level=INFO msg="certificate is back" file=`+r.pair.Certificate)
		r.expect("first.example", "")
		if t.Failed() {
			t.Fatal(tt.name)
		}
	}
}

// A new certificate that is not valid is not better than one that is; but it is than one that expired before.
func TestReloadNotValid(t *testing.T) {
	r := newRenewed(t)
	past, soon := r.forHosts("past.example"), r.forHosts("soon.example")
	past.NotAfter = r.time().Add(-time.Minute)
	r.issue(past).save(t, r.dir(), "a")
	r.expect("first.example", "")
	r.expect("first.example", `level=ERROR msg="certificate cannot be taken; the old one is kept" file=`+r.pair.Certificate+
		` cause="`+r.pair.Certificate+`: the certificate has expired, on `+past.NotAfter.UTC().Format("2006-01-02 15:04")+` UTC"`)
	soon.NotBefore, soon.NotAfter = r.time().Add(time.Hour), r.time().Add(100*24*time.Hour)
	r.issue(soon).save(t, r.dir(), "a")
	r.clock.Add(int64(time.Minute))
	r.expect("first.example", "")
	r.clock.Add(int64(2 * time.Hour))
	r.expect("soon.example", `level=INFO msg="certificate read" file=`+r.pair.Certificate)

	r.clock.Add(int64(200 * 24 * time.Hour)) // and nobody came
	later := r.forHosts("later.example")
	later.NotAfter = r.time().Add(-time.Minute)
	r.issue(later).save(t, r.dir(), "a")
	r.clock.Add(int64(time.Second))
	if got := r.client(); got != "later.example" {
		t.Errorf("shown %s", got)
	}
}

func (r *renewed) dir() string { return strings.TrimSuffix(r.pair.Certificate, "/a.pem") }

// A file that changes within the grain of its file system's time, and keeps its size and inode, is seen to change nevertheless.
func TestReloadSameTime(t *testing.T) {
	r := newRenewed(t)
	past := r.issue(r.forHosts("other.example"))
	at := r.time()
	for _, path := range []string{r.pair.Certificate, r.pair.Key} {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	r.Look()
	inPlace := func(path string, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for len(pemOf(past.cert)) != len(read(t, r.pair.Certificate)) { // signatures differ in length
		past = r.issue(r.forHosts("other.example"))
	}
	inPlace(r.pair.Certificate, pemOf(past.cert))
	inPlace(r.pair.Key, keyPEM(t, past.key))
	r.expect("other.example", `level=INFO msg="certificate read" file=`+r.pair.Certificate)
}

// One pair that is broken does not keep another from being read again.
func TestReloadOneOfTwo(t *testing.T) {
	a, dir := newAuthority(t, time.Now()), t.TempDir()
	pairs := []certificate.Pair{a.issue(a.forHosts("a.example")).save(t, dir, "a"), a.issue(a.forHosts("b.example")).save(t, dir, "b")}
	s := open(t, certificate.Config{Pairs: pairs})
	write(t, pairs[0].Certificate, nil)
	a.issue(a.forHosts("new.example")).save(t, dir, "b")
	s.Look()
	if got := s.Leaves(); got[0].DNSNames[0] != "a.example" || got[1].DNSNames[0] != "new.example" {
		t.Errorf("%q, %q", got[0].DNSNames, got[1].DNSNames)
	}
}

// A certificate that expires is told of once a day, from 14 days before.
func TestExpiryWarning(t *testing.T) {
	r := newRenewed(t)
	if want := r.Leaves()[0].NotAfter; !r.NextExpiry().Equal(want) {
		t.Errorf("expires %s, want %s", r.NextExpiry(), want)
	}
	start := r.time()
	at := func(d time.Duration, want string) {
		t.Helper()
		r.clock.Store(start.Add(d).UnixNano())
		r.Look()
		if got := withoutTime(r.log.String()); got != want {
			t.Errorf("after %s\n%s\nwant\n%s", d, got, want)
		}
		r.log.Reset()
	}
	const day = 24 * time.Hour
	line := func(level, what, left string) string {
		return "level=" + level + ` msg="` + what + `" file=` + r.pair.Certificate + " expires=" + r.NextExpiry().UTC().Format("2006-01-02T15:04:05.000Z") + ` left="` + left + ` days"`
	}
	at(70*day, "")
	at(77*day, line("WARN", "certificate expires soon", "12"))
	at(77*day+time.Hour, "")
	at(78*day, line("WARN", "certificate expires soon", "11"))
	at(91*day, line("ERROR", "certificate has expired", "-1"))
}
