package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// fakeSubmission listens for submission and answers each verb with what it is told: a reply, "hang" for none, "close" for a hang-up.
// RCPT of a local-part that is a code is answered with it.
func fakeSubmission(t *testing.T, replies map[string]string) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for nc, err := l.Accept(); err == nil; nc, err = l.Accept() {
			sessions.Go(func() { fakeSession(nc, replies) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		sessions.Wait()
	})
	return socket
}

func fakeSession(nc net.Conn, replies map[string]string) {
	defer nc.Close()
	in := bufio.NewScanner(nc)
	say := func(verb, otherwise string) bool {
		reply, told := replies[verb]
		if !told {
			reply = otherwise
		}
		switch reply {
		case "close":
			return false
		case "hang":
			for in.Scan() { // until the client goes
			}
			return false
		}
		fmt.Fprint(nc, strings.ReplaceAll(reply, "\n", "\r\n")+"\r\n")
		return true
	}
	for going := say("connect", "220 fake"); going && in.Scan(); {
		line := strings.TrimSuffix(in.Text(), "\r")
		switch verb, rest, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			going = say(verb, "250-fake\n250-PIPELINING\n250 AUTH EXTERNAL PLAIN")
		case "AUTH":
			going = say(verb, "235 2.7.0 ok")
		case "RCPT":
			local, _, _ := strings.Cut(strings.TrimPrefix(rest, "TO:<"), "@")
			if len(local) == 3 && local != "ann" {
				going = say(verb, local+" "+local[:1]+".1.1 told so")
			} else {
				going = say(verb, "250 2.1.5 ok")
			}
		case "DATA":
			going = say(verb, "354 go on")
		case ".":
			going = say(verb, "250 2.0.0 taken")
		case "MAIL", "RSET", "QUIT":
			going = say(verb, "250 2.0.0 ok")
		}
	}
}

// newTestMailer is a mailer to a socket, with little patience.
func newTestMailer(t *testing.T, socket string) *mailer {
	t.Helper()
	const short = 200 * time.Millisecond
	m := &mailer{host: "host.example", user: &user.User{Username: "me", Name: "Me"}, socket: socket, drop: t.TempDir(), stderr: t.Output()}
	m.o.Timeouts = client.Timeouts{Connect: short, Greeting: short, Command: short, Mail: short, Rcpt: short, Data: short, Block: short, Final: short, Quit: short}
	return m
}

// dropped says how many messages were left, and checks that nothing else was.
func (m *mailer) dropped(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(m.drop)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("left unfinished: %s", e.Name())
		}
	}
	return len(entries)
}

// Whatever the daemon does, a message is taken, refused or left: never two of them for one recipient, and never none.
func TestHandOver(t *testing.T) {
	for _, test := range []struct {
		name    string
		replies map[string]string
		to      []string
		codes   string // of the replies
		left    int
	}{
		{"taken", nil, []string{"ann", "bobby"}, "250 250", 0},
		{"refused", nil, []string{"550", "553"}, "550 553", 0},
		{"one refused", nil, []string{"ann", "550"}, "250 550", 0},
		{"one deferred", nil, []string{"ann", "450", "550"}, "250 250 550", 1},
		{"all deferred", nil, []string{"450", "451"}, "250 250", 1},
		{"going down", map[string]string{"connect": "421 4.3.2 going down"}, []string{"ann"}, "250", 1},
		{"not for you", map[string]string{"connect": "554 5.7.1 no"}, []string{"ann"}, "250", 1},
		{"silent", map[string]string{"connect": "hang"}, []string{"ann"}, "250", 1},
		{"garbage", map[string]string{"EHLO": "what?"}, []string{"ann"}, "250", 1},
		{"no account", map[string]string{"AUTH": "535 5.7.8 no"}, []string{"ann"}, "250", 1},
		{"cannot tell", map[string]string{"AUTH": "454 4.7.0 later"}, []string{"ann"}, "250", 1},
		{"no EXTERNAL", map[string]string{"EHLO": "250-fake\n250 AUTH PLAIN", "MAIL": "530 5.7.0 log in"}, []string{"ann"}, "250", 1},
		{"nobody logs in", map[string]string{"EHLO": "250 fake"}, []string{"ann"}, "250", 0},
		{"not your address", map[string]string{"MAIL": "550 5.7.1 no"}, []string{"ann", "bobby"}, "550 550", 0},
		{"deferred after the content", map[string]string{".": "452 4.3.1 full"}, []string{"ann", "550"}, "250 550", 1},
		{"refused after the content", map[string]string{".": "552 5.3.4 too big"}, []string{"ann", "550"}, "552 550", 0},
		{"silent after the content", map[string]string{".": "hang"}, []string{"ann"}, "250", 1},
		{"gone after the content", map[string]string{".": "close"}, []string{"ann"}, "250", 1},
		{"gone at the end", map[string]string{"QUIT": "close"}, []string{"ann"}, "250", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := newTestMailer(t, fakeSubmission(t, test.replies))
			replies, err := m.handOver(t.Context(), testEnvelope(test.to...), testSpool(t))
			var codes []string
			for _, r := range replies {
				codes = append(codes, fmt.Sprint(r.Code))
			}
			if err != nil || strings.Join(codes, " ") != test.codes || m.dropped(t) != test.left {
				t.Errorf("%q, %v, left %d", codes, err, m.dropped(t))
			}
			m = newTestMailer(t, m.socket)
			m.drop = filepath.Join(m.drop, "none")
			_, err = m.handOver(t.Context(), testEnvelope(test.to...), testSpool(t))
			if (err != nil) != (test.left > 0) {
				t.Errorf("without a directory: %v", err)
			}
		})
	}
}

// Those who are more than the daemon takes at once are several messages, and what is too big is nobody's.
func TestHandOverLimits(t *testing.T) {
	m := newTestMailer(t, "")
	m.limits.Recipients = 2
	replies, err := m.handOver(t.Context(), testEnvelope("a", "b", "c", "d", "e"), testSpool(t))
	if err != nil || m.dropped(t) != 3 || slices.ContainsFunc(replies, func(r smtp.Reply) bool { return r != left }) {
		t.Errorf("%v, %v, left %d", replies, err, m.dropped(t))
	}
	m = newTestMailer(t, "")
	m.limits.MessageSize = 5
	replies, err = m.handOver(t.Context(), testEnvelope("a", "b"), testSpool(t))
	if err != nil || m.dropped(t) != 0 || len(replies) != 2 || replies[1].Code != 552 {
		t.Errorf("%v, %v, left %d", replies, err, m.dropped(t))
	}
}

// testEnvelope is for recipients at example.org.
func testEnvelope(to ...string) *smtp.Envelope {
	env := &smtp.Envelope{From: smtp.Path{Local: "me", Domain: "host.example"}, Answers: smtp.OneForAll}
	for _, local := range to {
		env.Recipients = append(env.Recipients, smtp.Recipient{To: smtp.Path{Local: local, Domain: "example.org"}})
	}
	return env
}

func testSpool(t *testing.T) *aside {
	t.Helper()
	s, err := putAside(strings.NewReader("Subject: hello\r\n\r\nHello.\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// converse runs sendmail -bs and returns the codes of its replies.
func (m *mailer) conversation(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	if err := m.converse(t.Context(), strings.NewReader(text), &out); err != nil {
		t.Error(err)
	}
	var codes []string
	for line := range strings.Lines(out.String()) {
		if len(line) > 3 && line[3] == ' ' {
			codes = append(codes, line[:3])
		}
	}
	return strings.Join(codes, " ")
}

// Who hears one reply for all of the recipients hears a positive one where anybody has the message, and the sender is told of the
// others.
func TestSendmailSession(t *testing.T) {
	say := func(to ...string) string {
		text := "EHLO me\nMAIL FROM:<me@host.example>\n"
		for _, local := range to {
			text += "RCPT TO:<" + local + "@example.org>\n"
		}
		return text + "DATA\nSubject: hello\n\n..\nHello.\n.\nQUIT\n"
	}
	for _, test := range []struct {
		name, said, codes string
		left              int
	}{
		{"taken", say("ann", "bobby"), "220 250 250 250 250 354 250 221", 0},
		{"refused", say("550"), "220 250 250 250 354 550 221", 0},
		{"one refused", say("ann", "550"), "220 250 250 250 250 354 250 221", 1},
		{"one deferred, one refused", say("450", "550"), "220 250 250 250 250 354 250 221", 2},
		{"each its own", strings.Replace(say("ann", "550"), "host.example>", "host.example> PRDR", 1), "220 250 250 250 250 354 353 250 550 250 221", 0},
		{"CRLF", strings.ReplaceAll(say("ann"), "\n", "\r\n"), "220 250 250 250 354 250 221", 0},
		{"postmaster", strings.Replace(say("ann"), "<ann@example.org>", "<postmaster>", 1), "220 250 250 250 354 250 221", 0},
		{"hung up", "EHLO me\nMAIL FROM:<>\nRCPT TO:<ann@example.org>\nDATA\nSubject", "220 250 250 250 354", 0},
		{"chunks", "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nBDAT 6 LAST\r\na: b\r\nQUIT\r\n", "220 250 250 250 250 221", 0},
		{"no secrets here", "EHLO me\nAUTH PLAIN AGEAYg==\nSTARTTLS\nQUIT\n", "220 250 500 500 221", 0},
		{"nothing", "", "220", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newTestMailer(t, fakeSubmission(t, nil))
			if codes := m.conversation(t, test.said); codes != test.codes || m.dropped(t) != test.left {
				t.Errorf("%s, left %d", codes, m.dropped(t))
			}
		})
	}
}

// What cannot be left is not taken.
func TestSendmailSessionCannotLeave(t *testing.T) {
	m := newTestMailer(t, filepath.Join(t.TempDir(), "none"))
	m.drop = filepath.Join(m.drop, "none")
	codes := m.conversation(t, "EHLO me\nMAIL FROM:<>\nRCPT TO:<ann@example.org>\nDATA\na: b\n.\nQUIT\n")
	if codes != "220 250 250 250 354 451 221" {
		t.Error(codes)
	}
}
