package submission_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"lmtpd/delivery"
	"lmtpd/delivery/submission"
	"lmtpd/protocol/session"
	"lmtpd/protocol/smtptest"
	"lmtpd/store/storetest"
)

const greeting = `S: 220 mail.example.org ESMTP ready
C: EHLO laptop.home
S: 250-mail.example.org
S: 250-PIPELINING
S: 250-ENHANCEDSTATUSCODES
S: 250-8BITMIME
S: 250-SIZE 100000
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250-DSN
S: 250-LIMITS RCPTMAX=1000
S: 250 AUTH PLAIN CRAM-MD5 EXTERNAL
`

const login = `C: AUTH PLAIN AGFubgBzZWNyZXQ=
S: 235 2.7.0 Authentication succeeded
`

// dialogues are those of a client that submits, with the whole of what answers it: the engine, the policy and an agent. Each is
// named by the clause that it proves.
func dialogues() map[string]string {
	return map[string]string{
		"RFC 6409 §4.3: nobody submits who has not authenticated": `# with: esmtp auth secured
` + greeting + `C: MAIL FROM:<ann@example.org>
S: 530 5.7.0 Authentication required
C: RCPT TO:<bob@example.org>
S: 503 5.5.1 Command out of order
` + login + `C: MAIL FROM:<ann@example.org>
S: 250 2.1.0 Sender OK
C: QUIT
S: 221 2.0.0 Bye
-- closed
`,
		"RFC 6409 §6.1: the reverse-path is the account's, or null": `# with: esmtp auth secured
` + greeting + login + `C: MAIL FROM:<bob@example.org>
S: 550 5.7.1 Not an address of yours
C: MAIL FROM:<ann+shop@example.org>
S: 250 2.1.0 Sender OK
C: RSET
S: 250 2.0.0 OK
C: MAIL FROM:<>
S: 250 2.1.0 Sender OK
C: QUIT
S: 221 2.0.0 Bye
-- closed
`,
		"RFC 6409 §6.1: a message in another's name is refused whole, and the session goes on": `# with: esmtp auth secured
` + greeting + login + `C: MAIL FROM:<ann@example.org>
C: RCPT TO:<bob@example.org>
C: RCPT TO:<cyd@example.org>
C: DATA
S: 250 2.1.0 Sender OK
S: 250 2.1.5 <bob@example.org> Recipient OK
S: 250 2.1.5 <cyd@example.org> Recipient OK
S: 354 End content with <CR><LF>.<CR><LF>
C: From: boss@example.org
C:
C: Send money.
C: .
S: 550 5.7.1 From is not an address of yours
C: MAIL FROM:<ann@example.org>
C: RCPT TO:<bob@example.org>
C: BDAT 68
C= "From: Ann <ann@example.org>\r\nSender: boss@example.org\r\n\r\nSend money."
C: BDAT 0 LAST
S: 250 2.1.0 Sender OK
S: 250 2.1.5 <bob@example.org> Recipient OK
S: 250 2.0.0 68 octets received
S: 550 5.7.1 Sender is not an address of yours
C: QUIT
S: 221 2.0.0 Bye
-- closed
`,
		"RFC 6409 §8.2, §8.3: what is missing is added, and Bcc is taken out": `# with: esmtp auth secured
` + greeting + login + `C: MAIL FROM:<ann@example.org>
C: RCPT TO:<bob@example.org>
C: DATA
S: 250 2.1.0 Sender OK
S: 250 2.1.5 <bob@example.org> Recipient OK
S: 354 End content with <CR><LF>.<CR><LF>
C: From: ann@example.org
C: Bcc: eve@example.org
C:
C: Hello.
C: .
S: 250 2.0.0 Delivered ID1
C: QUIT
S: 221 2.0.0 Bye
-- closed
K: bob@example.org "From: ann@example.org\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <ID1@mail.example.org>\r\n\r\nHello.\r\n"
`,
		"RFC 5321 §6.1: one reply, so all have the message or none": `# with: esmtp auth secured
` + greeting + login + `C: MAIL FROM:<ann@example.org>
C: RCPT TO:<bob@example.org>
C: RCPT TO:<quota@example.org>
C: DATA
S: 250 2.1.0 Sender OK
S: 250 2.1.5 <bob@example.org> Recipient OK
S: 250 2.1.5 <quota@example.org> Recipient OK
S: 354 End content with <CR><LF>.<CR><LF>
C: From: ann@example.org
C:
C: Hello.
C: .
S: 452 4.2.2 <quota@example.org> Mailbox is over quota
C: QUIT
S: 221 2.0.0 Bye
-- closed
`,
	}
}

func TestSession(t *testing.T) {
	for name, text := range dialogues() {
		t.Run(name, func(t *testing.T) {
			tr, err := smtptest.Parse("dialogue", "# "+name+"\n"+text)
			if err != nil {
				t.Fatal(err)
			}
			wire, kept := stage(t, tr.Settings)
			got, err := tr.Play(wire, kept)
			if err != nil {
				t.Error(err)
			}
			if got.String() != tr.String() {
				t.Error(smtptest.Diff(got.String(), tr.String()))
			}
		})
	}
}

// stage is a session with the policy and an agent behind it.
func stage(t *testing.T, set smtptest.Settings) (smtptest.Wire, func() ([]smtptest.Message, error)) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }
	s, log := &storetest.Memory{}, slog.New(slog.NewTextHandler(io.Discard, nil))
	a, err := delivery.New(delivery.Config{
		Hostname: smtptest.Hostname,
		Blocks:   []delivery.Block{{Domains: []string{"example.org"}, Store: smtptest.Faults{Store: s}, Delimiters: "+"}},
		TempDir:  t.TempDir(),
		Now:      now,
		Log:      log,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := submission.New(submission.Config{Agent: a, Owners: a, Hostname: smtptest.Hostname, Now: now, Log: log})
	return smtptest.NewMemory(session.New(set.Config(t, smtptest.IDs()), h, set.Peer()), 0),
		func() ([]smtptest.Message, error) { return smtptest.Stored(t.Context(), s) }
}
