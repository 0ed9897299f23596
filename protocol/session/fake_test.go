package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
	"lmtpd/protocol/smtptest"
)

// A witness is a session.Handler that does as the local-parts say and checks that the engine keeps the order of
// calls: Sender, Recipient for each, and then Deliver or Abandon, once.
type witness struct {
	t         testing.TB
	open      map[*smtp.Envelope]int // transactions by their accepted recipients
	kept      []string               // contents that ended in io.EOF
	broken    []error                // what ended the others
	abandoned int
	reading   int // Deliver calls that have not returned
	envelopes []smtp.Envelope
}

func newWitness(t testing.TB) *witness {
	return &witness{t: t, open: make(map[*smtp.Envelope]int)}
}

func (w *witness) Sender(_ context.Context, env *smtp.Envelope) smtp.Reply {
	if len(w.open) > 0 {
		w.t.Errorf("MAIL while %d transactions are open", len(w.open))
	}
	if env.From.Local == "refused" {
		return smtp.Reply{Code: 550, Status: smtp.StatusNotAuthorized, Text: "Refused"}
	}
	w.open[env] = 0
	return smtp.Reply{Code: 250, Status: smtp.StatusAddress, Text: "Sender OK"}
}

func (w *witness) Recipient(_ context.Context, env *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	if env.ID == "" { // VRFY: there is no transaction
		w.open[env] = 0
	}
	n, open := w.open[env]
	if !open || n != len(env.Recipients) {
		w.t.Errorf("RCPT with %d recipients before it, %d accepted, open %v", len(env.Recipients), n, open)
	}
	switch to.To.Local {
	case "nobody":
		return smtp.Reply{Code: 550, Status: smtp.StatusNoMailbox, Text: "No such mailbox"}.For(to.To)
	case "crash":
		panic("crash")
	}
	w.open[env]++
	return smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Recipient OK"}.For(to.To)
}

func (w *witness) Deliver(_ context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	w.end(env)
	w.reading++
	defer func() { w.reading-- }()
	w.envelopes = append(w.envelopes, *env)
	var content bytes.Buffer
	var err error
	switch env.Recipients[0].To.Local {
	case "lazy": // looks at nothing
	case "early":
		_, err = io.CopyN(&content, r, 3)
	default:
		_, err = io.Copy(&content, r)
	}
	if err != nil {
		w.broken = append(w.broken, err)
	} else if env.Recipients[0].To.Local != "lazy" && env.Recipients[0].To.Local != "early" {
		w.kept = append(w.kept, content.String())
	}
	return w.replies(env, err)
}

func (w *witness) replies(env *smtp.Envelope, err error) []smtp.Reply {
	var replies []smtp.Reply
	for _, to := range env.Recipients {
		code := 250
		switch to.To.Local {
		case "panic":
			panic("panic")
		case "sore":
			if err != nil {
				panic("sore")
			}
		case "silent":
			continue
		case "twice":
			replies = append(replies, smtp.Reply{Code: 250, Status: smtp.StatusNone, Text: "once"})
		case "leave":
			code = 421
		case "later":
			code = 451
		}
		replies = append(replies, smtp.Reply{Code: code, Status: smtp.StatusNone, Text: "Done " + env.ID}.For(to.To))
	}
	return replies
}

func (w *witness) Abandon(env *smtp.Envelope) {
	w.abandoned++
	w.end(env)
}

func (w *witness) end(env *smtp.Envelope) {
	if _, open := w.open[env]; !open {
		w.t.Error("the end of a transaction that is not open")
	}
	delete(w.open, env)
}

// done checks what must be when the session is over.
func (w *witness) done() {
	if len(w.open) > 0 {
		w.t.Errorf("%d transactions were neither delivered nor abandoned", len(w.open))
	}
	if w.reading > 0 {
		w.t.Errorf("%d handlers still read content", w.reading)
	}
}

// config returns a configuration for tests.
func config(d session.Dialect) session.Config {
	return session.Config{Dialect: d, Hostname: "mail.example.org", MaxSize: 1000, MaxErrors: 1000, DSN: true, NewID: smtptest.IDs()}
}

// script is what a client sends, all at once, and what it hears.
type script struct {
	io.Reader
	heard bytes.Buffer
}

func (s *script) Write(p []byte) (int, error) { return s.heard.Write(p) }

// talk lets a session of the dialect hear the lines and returns its replies after the greeting.
func talk(t testing.TB, d session.Dialect, w *witness, lines ...string) []string {
	t.Helper()
	return speak(t, session.New(config(d), w, session.Peer{Trusted: true}), w, strings.Join(lines, "\r\n")+"\r\n")
}

func speak(t testing.TB, s *session.Session, w *witness, text string) []string {
	t.Helper()
	rw := &script{Reader: strings.NewReader(text)}
	smtptest.Drive(context.Background(), s, rw, func() error { return errors.New("no TLS") })
	w.done()
	replies, err := groups(rw.heard.String())
	if err != nil {
		t.Fatal(err)
	}
	return replies[1:]
}

// groups divides what a server says into replies; those of several lines are joined by "|".
func groups(text string) ([]string, error) {
	var all []string
	begun := false
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		_, more, err := smtp.ParseReplyLine(line)
		if err != nil || strings.ContainsAny(line, "\r\n") {
			return all, fmt.Errorf("bad reply line %q", line)
		}
		if begun {
			all[len(all)-1] += "|" + line
		} else {
			all = append(all, line)
		}
		begun = more
	}
	if begun {
		return all, fmt.Errorf("the last reply has no end: %q", all[len(all)-1])
	}
	return all, nil
}
