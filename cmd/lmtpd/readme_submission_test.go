package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"lmtpd/auth"
	"lmtpd/auth/password"
)

// readme is the text of README.md.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// nobody is auth.Accounts without one.
type nobody struct{ auth.Accounts }

func (nobody) Verify(context.Context, string, string) (string, error) { return "", auth.ErrCredentials }

// What README has fail2ban look for is what the log has, and finds the address in it whatever the name is.
func TestReadmeFail2ban(t *testing.T) {
	found := regexp.MustCompile(`(?m)^failregex = (.*)$`).FindStringSubmatch(readme(t))
	if found == nil {
		t.Fatal("README.md has no filter")
	}
	filter := regexp.MustCompile(strings.Replace(found[1], "<HOST>", `(?P<host>\S+)`, 1))
	var log bytes.Buffer
	server := auth.NewServer(auth.Config{Mechanisms: []string{"LOGIN"}, Accounts: nobody{}})
	guard := auth.Guard(server, auth.NewThrottle(time.Now, nil), slog.New(slog.NewTextHandler(&log, nil)))
	ch := auth.Channel{Session: "S1", Peer: netip.MustParseAddr("2001:db8::9"), Secured: true}
	e := guard.Begin("LOGIN", ch)
	for _, response := range []string{`msg="authentication failed" session=x peer=192.0.2.1 mechanism=`, "secret"} {
		_, _, _ = e.Next(t.Context(), []byte(response)) // the log is what matters
	}
	got := filter.FindAllStringSubmatch(log.String(), -1)
	if len(got) != 1 || got[0][filter.SubexpIndex("host")] != "2001:db8::9" {
		t.Errorf("%s finds %q in %s", filter, got, log.String())
	}
}

// README's table of mechanisms is true of package password.
func TestReadmeMechanisms(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `(CRAM-MD5|SCRAM-SHA-1|SCRAM-SHA-256)` \\| (.*?) \\|").FindAllStringSubmatch(readme(t), -1)
	if len(rows) != 3 {
		t.Fatalf("%q", rows)
	}
	for _, row := range rows {
		for _, scheme := range []string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SHA512-CRYPT", "SSHA256", "ARGON2ID", "BLF-CRYPT", "PBKDF2"} {
			if told := strings.Contains(row[2], "`{"+scheme+"}`"); told != password.Permits(row[1], scheme) {
				t.Errorf("README.md says %v of %s with {%s}", told, row[1], scheme)
			}
		}
	}
}
