package session_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
	"lmtpd/protocol/smtptest"
)

// sink takes everything and reads content into one buffer.
type sink struct {
	buf     []byte
	replies []smtp.Reply
}

func (*sink) Sender(context.Context, *smtp.Envelope) smtp.Reply { return taken }

func (*sink) Recipient(context.Context, *smtp.Envelope, smtp.Recipient) smtp.Reply { return taken }

func (s *sink) Deliver(_ context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	for {
		if _, err := r.Read(s.buf); err != nil {
			return s.replies[:len(env.Recipients)]
		}
	}
}

func (*sink) Abandon(*smtp.Envelope) {}

var taken = smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "OK"}

// BenchmarkSession measures what one transaction costs the engine and the reader: MAIL, RCPT, and 10 KB of content.
func BenchmarkSession(b *testing.B) {
	content := strings.Repeat(strings.Repeat("x", 74)+".\r\n", 10240/77)
	const envelope = "MAIL FROM:<sue@example.com> SIZE=10240\r\nRCPT TO:<ann@example.org>\r\n"
	for _, c := range []struct {
		name    string
		dialect session.Dialect
		message string
	}{
		{"LMTP/DATA", session.LMTP(), envelope + "DATA\r\n" + content + ".\r\n"},
		{"LMTP/BDAT", session.LMTP(), envelope + "BDAT 10164 LAST\r\n" + content[:10164]},
		{"LMTP/chunks", session.LMTP(), envelope + "BDAT 5082\r\n" + content[:5082] + "BDAT 5082 LAST\r\n" + content[:5082]},
		{"ESMTP/DATA", session.ESMTP(), envelope + "DATA\r\n" + content + ".\r\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg := config(c.dialect)
			cfg.MaxSize = 1 << 20
			cfg.NewID = func() string { return "ID" }
			h := &sink{buf: make([]byte, 64<<10), replies: []smtp.Reply{taken}}
			rw := &repeat{head: c.dialect.Hello + " c\r\n", text: c.message, times: b.N}
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			b.ResetTimer()
			smtptest.Drive(context.Background(), session.New(cfg, h, session.Peer{}), rw, nil)
		})
	}
}

// repeat is a connection on which the client says head once and text so many times, and waits for no reply.
type repeat struct {
	head, text string
	at, times  int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.head != "" {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.times == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:])
	if r.at += n; r.at == len(r.text) {
		r.at = 0
		r.times--
	}
	return n, nil
}

func (r *repeat) Write(p []byte) (int, error) { return len(p), nil }
