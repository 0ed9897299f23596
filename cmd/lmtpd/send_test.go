package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mailDrop is an LMTP server that answers for each recipient what their local-part says: "550@x" is refused,
// "452-final@x" after the content, "hangup@x" by hanging up there; anybody else is delivered.
type mailDrop struct {
	notes
	url string
}

func startMailDrop(t *testing.T, network, address string) *mailDrop {
	t.Helper()
	d := &mailDrop{}
	d.url = serveLMTP(t, network, address, d.session)
	return d
}

func (d *mailDrop) session(nc net.Conn) {
	defer nc.Close()
	in := bufio.NewScanner(nc)
	fmt.Fprint(nc, "220 drop\r\n")
	var accepted []string
	for in.Scan() {
		line := strings.TrimSuffix(in.Text(), "\r")
		d.note(line)
		switch verb := line[:min(4, len(line))]; {
		case verb == "LHLO":
			fmt.Fprint(nc, "250-drop\r\n250-SIZE 1000\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n")
		case strings.HasPrefix(line, "RCPT TO:<550"):
			fmt.Fprint(nc, "550 5.1.1 no such mailbox\r\n")
		case verb == "MAIL":
			fmt.Fprint(nc, "250 2.1.0 ok\r\n")
		case verb == "RCPT":
			accepted = append(accepted, strings.TrimPrefix(line, "RCPT TO:"))
			fmt.Fprint(nc, "250 2.1.5 ok\r\n")
		case verb == "DATA":
			fmt.Fprint(nc, "354 go on\r\n")
		case verb == "QUIT":
			fmt.Fprint(nc, "221 bye\r\n")
			return
		case line == ".":
			for _, to := range accepted {
				switch {
				case strings.HasPrefix(to, "<hangup"):
					return
				case strings.HasPrefix(to, "<452"):
					fmt.Fprintf(nc, "452 4.2.2 %s full\r\n", to)
				default:
					fmt.Fprintf(nc, "250-2.1.5 %s\r\n250 2.1.5 Delivered \x1b[31mID\r\n", to)
				}
			}
		}
	}
}

// runSend runs "lmtpd send" with args and returns its exit code and what it wrote.
func runSend(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, diag strings.Builder
	a := &app{stdin: strings.NewReader(stdin), stdout: &out, stderr: &diag}
	code = a.run(t.Context(), append([]string{"lmtpd", "send"}, args...))
	return code, out.String(), diag.String()
}

const annDelivered = "250 2.1.5 <ann@example.org> Delivered ?[31mID\n"

func TestSendResults(t *testing.T) {
	drop := startMailDrop(t, "tcp", "127.0.0.1:0")
	for _, tt := range []struct {
		name string
		to   []string
		code int
		out  string
	}{
		{"delivered", []string{"--to", "ann@example.org"}, exOK, "ann@example.org: " + annDelivered},
		{"refused", []string{"--to", "550@x"}, exUnavailable, "550@x: 550 5.1.1 no such mailbox\n"},
		{"deferred", []string{"--to", "452@x"}, exTempFail, "452@x: 452 4.2.2 <452@x> full\n"},
		{"all three, by commas and repeated", []string{"--to", "452@x, ann@example.org", "--to", "<550@x>"}, exUnavailable,
			"452@x: 452 4.2.2 <452@x> full\nann@example.org: " + annDelivered + "550@x: 550 5.1.1 no such mailbox\n"},
		{"lost", []string{"--to", "ann@example.org,hangup@x"}, exTempFail,
			"ann@example.org: " + annDelivered + "hangup@x: unknown\n"},
		{"JSON", []string{"--json", "--to", "452@x,550@x,hangup@x"}, exUnavailable,
			`{"recipient":"452@x","outcome":"known","delivered":false,"code":452,"status":"4.2.2","text":"<452@x> full"}` +
				"\n" + `{"recipient":"550@x","outcome":"known","delivered":false,"code":550,"status":"5.1.1","text":"no such mailbox"}` +
				"\n" + `{"recipient":"hangup@x","outcome":"unknown","delivered":false}` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"--server", drop.url, "--from", ""}, tt.to...)
			code, out, diag := runSend(t, "hi\n", args...)
			if code != tt.code || out != tt.out {
				t.Errorf("exit %d, %q; want %d, %q (standard error: %s)", code, out, tt.code, tt.out, diag)
			}
		})
	}
}

func TestSendSays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "letter.eml")
	if err := os.WriteFile(file, []byte("a: b\n\n.dot\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a file", []string{"--from", "me@x", "--to", "ann@x", file},
			"MAIL FROM:<me@x> SIZE=14\nRCPT TO:<ann@x>\nDATA\na: b\n\n..dot\n.\nQUIT"},
		{"standard input, null reverse-path", []string{"--from", "<>", "--to", "ann@x", "-"},
			"MAIL FROM:<> SIZE=4\nRCPT TO:<ann@x>\nDATA\nhi\n.\nQUIT"},
		{"an address that needs SMTPUTF8", []string{"--from", "me@x", "--to", `ünn@x,"a,b"@x`},
			"MAIL FROM:<me@x> SIZE=4 SMTPUTF8\nRCPT TO:<ünn@x>\nRCPT TO:<\"a,b\"@x>\nDATA\nhi\n.\nQUIT"},
		{"the caller's address", []string{"--to", "ann@x"},
			"MAIL FROM:<" + callersAddress() + "> SIZE=4\nRCPT TO:<ann@x>\nDATA\nhi\n.\nQUIT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			drop := startMailDrop(t, "unix", filepath.Join(t.TempDir(), "s"))
			code, _, diag := runSend(t, "hi", append([]string{"--server", drop.url}, tt.args...)...)
			_, got, _ := strings.Cut(drop.lines(), "\n")
			if code != exOK || got != tt.want {
				t.Errorf("exit %d %s, sent\n%s\nwant\n%s", code, diag, got, tt.want)
			}
		})
	}
}

func TestSendVerbose(t *testing.T) {
	drop := startMailDrop(t, "tcp", "127.0.0.1:0")
	_, _, got := runSend(t, "hi\n", "--server", drop.url, "--from", "<>", "--verbose", "--to", "ann@example.org")
	want := `S: 220 drop
C: LHLO ` + systemName() + `
S: 250-drop
S: 250-SIZE 1000
S: 250-SMTPUTF8
S: 250 8BITMIME
C: MAIL FROM:<> SIZE=4
S: 250 2.1.0 ok
C: RCPT TO:<ann@example.org>
S: 250 2.1.5 ok
C: DATA
S: 354 go on
C: [4 octets of content]
C: .
S: 250-2.1.5 <ann@example.org>
S: 250 2.1.5 Delivered ?[31mID
C: QUIT
S: 221 bye
`
	if got != want {
		t.Errorf("dialogue:\n%s\nwant:\n%s", got, want)
	}
}

// Mail sent without --from comes from this host by the name that serve calls it, too.
func TestCallersAddress(t *testing.T) {
	cfg, err := overrides{}.load()
	if err != nil {
		t.Fatal(err)
	}
	if from := callersAddress(); !strings.HasSuffix(from, "@"+cfg.Hostname) {
		t.Errorf("%s is not at %s", from, cfg.Hostname)
	}
}

func TestSendMistakes(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no recipient", []string{"--from", "a@x"}, exUsage, "--to ADDRESS is missing"},
		{"flag after the file", []string{"--to", "a@x", "-", "--verbose"}, exUsage, "--verbose after an argument"},
		{"two files that are not there", []string{"--to", "a@x", filepath.Join(dir, "a"), filepath.Join(dir, "b")}, exIOErr, "b: open"},
		{"a file and a test", []string{"--to", "a@x", "--test", "a"}, exUsage, "--test, or a FILE"},
		{"no field", []string{"--to", "a@x", "--header", "hello"}, exUsage, "not a field"},
		{"two fields in one", []string{"--to", "a@x", "--header", "a: b\nc: d"}, exUsage, "not a field"},
		{"bad notify", []string{"--to", "a@x", "--notify", "never,success"}, exUsage, "--notify"},
		{"bad ret", []string{"--to", "a@x", "--ret", "half"}, exUsage, "full or hdrs"},
		{"bad orcpt", []string{"--to", "a@x", "--orcpt", "a@x"}, exUsage, "TYPE;ADDRESS"},
		{"orcpt for whom", []string{"--to", "a@x,b@x", "--orcpt", "rfc822;a@x"}, exUsage, "1 times for 2"},
		{"negative size", []string{"--to", "a@x", "--size", "-1"}, exUsage, "less than nothing"},
		{"no time", []string{"--to", "a@x", "--timeout", "0s"}, exUsage, "no time"},
		{"no user", []string{"--to", "a@x", "--auth", "PLAIN"}, exUsage, "--user NAME is missing"},
		{"no password", []string{"--to", "a@x", "--user", "ann"}, exUsage, "--password-file"},
		{"two secrets", []string{"--to", "a@x", "--user", "ann", "--password-file", "a", "--token-file", "b"}, exUsage, "one of them"},
		{"secret and message", []string{"--to", "a@x", "--user", "ann", "--password-file", "-"}, exUsage, "both the secret and the message"},
		{"mechanisms of a file", []string{"--auth-types", "a"}, exUsage, "no FILE"},
		{"IMAP", []string{"--to", "a@x", "--server", "imap://localhost"}, exUsage, "the scheme is one of"},
		{"TLS at an odd time", []string{"--to", "a@x", "--tls", "later"}, exUsage, "none, opportunistic, starttls or implicit"},
		{"TLS begun and not", []string{"--to", "a@x", "--server", "smtps://localhost", "--tls", "starttls"}, exUsage, "first octet"},
		{"a certificate without TLS", []string{"--to", "a@x", "--tls", "none", "--ca", "x"}, exUsage, "no certificate without TLS"},
		{"no CA", []string{"--to", "a@x", "--ca", filepath.Join(dir, "none")}, exIOErr, "--ca"},
		{"a CA that is none", []string{"--to", "a@x", "--ca", empty}, exDataErr, "no certificate in it"},
		{"bad fingerprint", []string{"--to", "a@x", "--fingerprint", "AB:CD"}, exUsage, "SHA-256 of 64"},
		{"a key alone", []string{"--to", "a@x", "--key", "x"}, exUsage, "no --cert"},
		{"no certificate", []string{"--to", "a@x", "--cert", filepath.Join(dir, "none")}, exIOErr, "none"},
		{"a certificate that is none", []string{"--to", "a@x", "--cert", empty}, exDataErr, "--cert"},
		{"no URL", []string{"--to", "a@x", "--server", "localhost"}, exUsage, "malformed server address"},
		{"port too large", []string{"--to", "a@x", "--server", "lmtp://h:99999"}, exUsage, "malformed server address"},
		{"bad recipient", []string{"--to", "a@x,"}, exDataErr, "malformed path"},
		{"bad reverse-path", []string{"--to", "a@x", "--from", "me"}, exDataErr, "malformed path"},
		{"no such file", []string{"--to", "a@x", filepath.Join(dir, "none")}, exIOErr, "none"},
		{"a directory", []string{"--to", "a@x", dir}, exIOErr, "is a directory"},
		{"nobody listens", []string{"--to", "a@x", "--server", "unix:" + filepath.Join(dir, "none")}, exTempFail, "connect"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, diag := runSend(t, "hi\n", tt.args...)
			if code != tt.code || out != "" || !strings.Contains(diag, tt.says) {
				t.Errorf("exit %d, %q, %q; want %d and %q", code, out, diag, tt.code, tt.says)
			}
		})
	}
}

// A server that turns the connection away says itself whether it is of use to come back.
func TestSendGreetings(t *testing.T) {
	for greeting, want := range map[string]int{"421 4.3.2 going down": exTempFail, "554 5.7.1 not you": exUnavailable} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if nc, err := l.Accept(); err == nil {
				io.WriteString(nc, greeting+"\r\n")
				nc.Close()
			}
		}()
		code, _, diag := runSend(t, "", "--server", "lmtp://"+l.Addr().String(), "--to", "a@x")
		l.Close()
		<-done
		if code != want || !strings.Contains(diag, greeting) {
			t.Errorf("%s: exit %d, %q; want %d", greeting, code, diag, want)
		}
	}
}
