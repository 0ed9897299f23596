package dsn_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

// A reading is what Python's email package finds in a notification: testdata/read.py.
type reading struct {
	Header       map[string]string
	Type, Report string
	Parts        []string
	Descriptions []string
	Text         string
	Status       []map[string]string
	Returned     map[string]string
	Body         string
	Defects      []string
}

func readByPython(t *testing.T, text string) (r reading) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "notification.eml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "python3", filepath.Join("testdata", "read.py"), file)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPython has somebody else read what is written: the parts, every field, and the message that comes back.
func TestPython(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		if os.Getenv("LMTPD_PEERS") == "required" {
			t.Fatal("python3 is missing: apt-get install python3-minimal")
		}
		t.Skip("python3 is missing")
	}
	utf8 := strings.NewReplacer("Ann <ann", "Jürgen <jürgen", "At ten?", "Über Größen?").Replace(original)
	for name, tt := range map[string]struct {
		from, to string
		content  string
		utf8     smtp.Encoding
		parts    string
		final    string
		body     string
	}{
		"7 bits": {"ann@example.org", "bob@example.net", original, smtp.ASCII,
			"text/plain message/delivery-status message/rfc822", "rfc822; bob@example.net", "At ten?\n"},
		"8 bits": {"ann@example.org", "bob@example.net", strings.Replace(original, "ten", "zehn Übungen", 1), smtp.ASCII,
			"text/plain message/delivery-status message/rfc822", "rfc822; bob@example.net", "At zehn Übungen?\n"},
		"SMTPUTF8": {"jürgen@example.org", "größe@example.net", utf8, smtp.UTF8,
			"text/plain message/global-delivery-status message/global", "utf-8; größe@example.net", "Über Größen?\n"},
		"SMTPUTF8, and a way back that may be without": {"ann@example.org", "größe@example.net", utf8, smtp.UTF8,
			"text/plain message/global-delivery-status message/global", "utf-8; größe@example.net", "Über Größen?\n"},
		"SMTPUTF8 for nothing": {"ann@example.org", "bob@example.net", original, smtp.UTF8,
			"text/plain message/delivery-status message/rfc822", "rfc822; bob@example.net", "At ten?\n"},
		"a line too long": {"ann@example.org", "bob@example.net", original + strings.Repeat("x", 999), smtp.ASCII,
			"text/plain message/delivery-status text/rfc822-headers", "rfc822; bob@example.net", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := bob(t, dsn.Failed, smtp.Reply{Code: 550, Status: smtp.StatusNoMailbox, Text: "No such mailbox\nhere"})
			to.To, to.Original, to.Server = path(t, tt.to), smtp.OriginalRecipient{Type: "rfc822", Address: "b+c@example.net"}, "mx.example.net"
			r := report(t, tt.content, to)
			r.From, r.UTF8, r.Ret, r.EnvID = path(t, tt.from), tt.utf8, smtp.RetFull, "QQ314159"
			text, env := compose(t, r)
			got := readByPython(t, text)
			if got.Type != "multipart/report" || got.Report != "delivery-status" || strings.Join(got.Parts, " ") != tt.parts || len(got.Defects) > 0 {
				t.Errorf("%s of %s: %v, defects %v", got.Type, got.Report, got.Parts, got.Defects)
			}
			if got.Header["To"] != tt.from || got.Header["Auto-Submitted"] != "auto-replied" || got.Header["Subject"] != "Undelivered mail: Tomorrow's meeting" {
				t.Errorf("header %v", got.Header)
			}
			if tt.from == "ann@example.org" && tt.utf8 == smtp.UTF8 && env.Body != smtp.Body7Bit {
				t.Errorf("a notification that not everybody takes: %v", env)
			}
			if !strings.Contains(got.Text, "<"+tt.to+">") || !strings.Contains(got.Text, "    550 5.1.1 here\r\n") {
				t.Errorf("text %q", got.Text)
			}
			want := []map[string]string{{
				"Original-Envelope-Id": "QQ314159", "Reporting-MTA": "dns; mail.example.org",
				"Arrival-Date": "Sat, 28 Nov 2026 12:00:00 +0000", "X-Lmtpd-ID": "X1",
			}, {
				"Original-Recipient": "rfc822; b+c@example.net", "Final-Recipient": tt.final, "Action": "failed", "Status": "5.1.1",
				"Remote-MTA": "dns; mx.example.net", "Diagnostic-Code": "smtp; 550-5.1.1 No such mailbox 550 5.1.1 here",
				"Last-Attempt-Date": "Sat, 28 Nov 2026 13:00:00 +0000",
			}}
			if !slices.EqualFunc(got.Status, want, maps.Equal) {
				t.Errorf("status %v, want %v", got.Status, want)
			}
			if got.Returned["Subject"] != "Tomorrow's meeting" || got.Returned["Message-ID"] != "<1@client.example.net>" {
				t.Errorf("returned %v", got.Returned)
			}
			if got.Body != tt.body {
				t.Errorf("body %q, want %q", got.Body, tt.body)
			}
		})
	}
}
