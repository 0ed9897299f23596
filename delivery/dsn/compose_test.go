package dsn_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

var update = flag.Bool("update", false, "write the files of testdata anew")

const original = "Received: from client.example.net by mail.example.org with ESMTPSA id X1;\r\n" +
	"\tSat, 28 Nov 2026 12:00:00 +0000\r\n" +
	"From: Ann <ann@example.org>\r\n" +
	"To: bob@example.net\r\n" +
	"Subject: Tomorrow's meeting\r\n" +
	"Message-ID: <1@client.example.net>\r\n" +
	"\r\n" +
	"At ten?\r\n"

func at(hour int) time.Time { return time.Date(2026, 11, 28, hour, 0, 0, 0, time.UTC) }

func path(t testing.TB, s string) smtp.Path {
	t.Helper()
	p, err := smtp.ParseMailbox(s, smtp.UTF8)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// report is one about a message of Ann's.
func report(t testing.TB, content string, recipients ...dsn.Recipient) dsn.Report {
	t.Helper()
	return dsn.Report{
		Hostname: "mail.example.org", ID: "X1", Arrived: at(12), From: path(t, "ann@example.org"),
		Content: strings.NewReader(content), Recipients: recipients,
	}
}

func bob(t testing.TB, action dsn.Action, r smtp.Reply) dsn.Recipient {
	t.Helper()
	return dsn.Recipient{Recipient: smtp.Recipient{To: path(t, "bob@example.net")}, Action: action, Reply: r, Last: at(13)}
}

var noMailbox = smtp.Reply{Code: 550, Status: smtp.StatusNoMailbox, Text: "<bob@example.net> No such mailbox"}

// compose returns a notification and its envelope.
func compose(t testing.TB, r dsn.Report) (string, *smtp.Envelope) {
	t.Helper()
	var b bytes.Buffer
	env, err := dsn.Compose(&b, "N1", at(14), r)
	if err != nil {
		t.Fatal(err)
	}
	if env.Size != int64(b.Len()) || !env.From.IsNull() || len(env.Recipients) != 1 || env.Recipients[0].To != r.From || env.ID != "N1" {
		t.Fatalf("%d octets in the envelope %+v", b.Len(), env)
	}
	return b.String(), env
}

// A section is a part of a notification as it was read.
type section struct {
	header textproto.MIMEHeader
	body   string // decoded
}

func (s section) mediaType() string {
	t, _, _ := mime.ParseMediaType(s.header.Get("Content-Type"))
	return t
}

// read takes a notification apart. It fails unless it is a multipart/report of three parts that can be sent.
func read(t testing.TB, text string) (mail.Header, []section) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("a line that cannot be sent, of %d octets: %.200q", len(line), line)
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("%s %v, %v", kind, params, err)
	}
	var all []section
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, section{p.Header, decoded(t, p)})
	}
	if len(all) != 3 {
		t.Fatalf("%d parts in %q", len(all), text)
	}
	return m.Header, all
}

func TestGolden(t *testing.T) {
	list := bob(t, dsn.Expanded, smtp.Reply{Code: 250, Status: "1.5", Text: "Expanded"})
	list.To, list.Original = path(t, "all@example.org"), smtp.OriginalRecipient{Type: "rfc822", Address: "everybody@example.org"}
	late := bob(t, dsn.Delayed, smtp.Reply{Code: 451, Status: smtp.StatusSystem, Text: "Try again later\nor much later"})
	late.Server, late.Until = "mx.example.net", at(20)
	for name, r := range map[string]dsn.Report{
		"failed":    report(t, original, bob(t, dsn.Failed, noMailbox)),
		"delayed":   report(t, original, late),
		"delivered": report(t, original, bob(t, dsn.Delivered, smtp.Reply{Code: 250, Status: "1.5", Text: "Delivered X1"})),
		"relayed":   report(t, original, bob(t, dsn.Relayed, smtp.Reply{Code: 250, Status: "0.0", Text: "Ok: queued"})),
		"expanded":  report(t, original, list),
		"expired":   report(t, original, bob(t, dsn.Failed, smtp.Reply{})),
		"full":      report(t, original, bob(t, dsn.Failed, noMailbox), late),
		"utf8":      report(t, strings.Replace(original, "Ann <ann", "Jürgen <jürgen", 1), bob(t, dsn.Failed, noMailbox)),
	} {
		t.Run(name, func(t *testing.T) {
			r.Recipients[0].Server = "mx.example.net"
			switch name {
			case "full":
				r.Ret, r.EnvID = smtp.RetFull, "QQ314159"
			case "utf8":
				r.UTF8, r.From = smtp.UTF8, path(t, "jürgen@example.org")
				r.Recipients[0].To = path(t, "андрей@example.net")
			case "expired":
				r.Recipients[0].Server = ""
			}
			got, _ := compose(t, r)
			read(t, got)
			file := filepath.Join("testdata", name+".eml")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is\n%s\nand not\n%s", file, got, want)
			}
		})
	}
}

// Nobody is told of what he was told of, and an empty report is none.
func TestNoReport(t *testing.T) {
	r := report(t, original, bob(t, dsn.Failed, noMailbox))
	r.From = smtp.Path{}
	if _, err := dsn.Compose(io.Discard, "N1", at(14), r); !errors.Is(err, dsn.ErrNoReport) {
		t.Errorf("to the null reverse-path: %v", err)
	}
	if _, err := dsn.Compose(io.Discard, "N1", at(14), report(t, original)); !errors.Is(err, dsn.ErrNoReport) {
		t.Errorf("about nobody: %v", err)
	}
}
