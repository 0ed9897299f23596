package main_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

// A bounce is what Python's email package reads in a notification of whoever wrote it.
type bounce struct {
	Header       map[string]string
	Type, Report string
	Parts        []string
	Descriptions []string
	Status       []map[string]string
	Returned     map[string]string
	Defects      []string
}

func readBounce(t *testing.T, text string) (b bounce) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bounce.eml")
	writeFile(t, file, text)
	out := run(t, "python3", filepath.Join("..", "..", "delivery", "dsn", "testdata", "read.py"), file)
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// Postfix and we tell a sender of the same failure in the same parts and fields.
func TestNotificationBesidePostfix(t *testing.T) {
	needPeers(t, "postfix", "python3")
	t.Parallel()
	d := startDaemon(t)
	p := startPostfix(t, "virtual_transport = lmtp:inet:"+d.port)
	for name, tt := range map[string]struct {
		from, to, orcpt string
		ret             smtp.Ret
		utf8            smtp.Encoding
	}{
		"full":     {from: "ann@example.org", to: `".hidden"@example.org`, orcpt: "rfc822;first+2Bname@example.net", ret: smtp.RetFull},
		"header":   {from: "ben@example.org", to: `".hidden"@example.org`, ret: smtp.RetHeaders},
		"SMTPUTF8": {from: "größe@example.org", to: `".häuser"@example.org`, ret: smtp.RetFull, utf8: smtp.UTF8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := submission{from: "<" + tt.from + "> RET=" + string(tt.ret) + " ENVID=QQ314159", to: []string{"<" + tt.to + ">"}}
			s.body = []byte("From: <" + tt.from + ">\r\nSubject: Hello\r\nMessage-ID: <1@client.example.net>\r\n\r\nHello\r\n")
			if tt.orcpt != "" {
				s.to[0] += " ORCPT=" + tt.orcpt
			}
			if tt.utf8 == smtp.UTF8 {
				s.from += " SMTPUTF8"
			}
			id := p.submit(t, s)[0]
			reply := p.fate(t, id, tt.to, "bounced")
			notice := p.await(t, id+`: sender non-delivery notification: (\w+)`)[1]
			p.fate(t, notice, tt.from, "sent")
			local, _, _ := strings.Cut(tt.from, "@")
			theirs := readBounce(t, string(only(t, d, local).text))

			r := dsn.Report{
				Hostname: "mta.example.net", ID: id, Arrived: time.Now(), Ret: tt.ret, EnvID: "QQ314159", UTF8: tt.utf8, Content: bytes.NewReader(s.body),
				From: mailbox(t, tt.from), Recipients: []dsn.Recipient{{
					Recipient: smtp.Recipient{To: mailbox(t, tt.to)}, Action: dsn.Failed, Reply: replyIn(t, reply), Server: "127.0.0.1", Last: time.Now(),
				}},
			}
			if tt.orcpt != "" {
				original, err := smtp.ParseOriginalRecipient(tt.orcpt)
				if err != nil {
					t.Fatal(err)
				}
				r.Recipients[0].Original = original
			}
			var b bytes.Buffer
			if _, err := dsn.Compose(&b, "N1", time.Now(), r); err != nil {
				t.Fatal(err)
			}
			compareBounces(t, readBounce(t, b.String()), theirs)
		})
	}
}

func mailbox(t *testing.T, s string) smtp.Path {
	t.Helper()
	p, err := smtp.ParseMailbox(s, smtp.UTF8)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var said = regexp.MustCompile(`said: (.*) \(in reply to`)

// replyIn is the reply that Postfix has logged.
func replyIn(t *testing.T, logged string) smtp.Reply {
	t.Helper()
	words := said.FindStringSubmatch(logged)
	if words == nil {
		t.Fatalf("no reply in %q", logged)
	}
	r, _, err := smtp.ParseReplyLine(words[1])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// compareBounces compares all that is not a matter of taste, or of the moment.
func compareBounces(t *testing.T, ours, theirs bounce) {
	t.Helper()
	beside := func(what, ours, theirs string) {
		t.Helper()
		if ours != theirs {
			t.Errorf("%s: %q of ours, %q of Postfix's", what, ours, theirs)
		}
	}
	beside("type", ours.Type+" "+ours.Report, theirs.Type+" "+theirs.Report)
	beside("parts", strings.Join(ours.Parts, " "), strings.Join(theirs.Parts, " "))
	beside("descriptions", strings.Join(ours.Descriptions, ", "), strings.Join(theirs.Descriptions, ", "))
	beside("returned", ours.Returned["Subject"], theirs.Returned["Subject"])
	beside("defects", strings.Join(ours.Defects, " "), strings.Join(theirs.Defects, " "))
	for _, name := range []string{"From", "To", "Auto-Submitted"} {
		beside(name, bare(ours.Header[name]), bare(theirs.Header[name]))
	}
	if len(ours.Status) != 2 || len(theirs.Status) != 2 {
		t.Fatalf("blocks of status: %v of ours, %v of Postfix's", ours.Status, theirs.Status)
	}
	for i, fields := range ours.Status {
		for name, value := range theirs.Status[i] {
			t.Logf("%-21s %-60q %q", name, fields[name], value)
			switch {
			case strings.HasPrefix(name, "X-Postfix-"), name == "Arrival-Date":
			case name == "Original-Recipient" && fields[name] == "": // RFC 3461 §6.3 has it only where ORCPT was
			default:
				beside(name, bare(fields[name]), bare(value))
			}
		}
		for name := range fields {
			if theirs.Status[i][name] == "" && !slices.Contains([]string{"X-Lmtpd-ID", "Last-Attempt-Date"}, name) {
				t.Errorf("Postfix has no %s", name)
			}
		}
	}
}

// bare leaves out the blanks, of which Postfix has less.
func bare(value string) string { return strings.ReplaceAll(value, " ", "") }

// A Postfix that is as strict as it can be about MIME takes our notifications, and hands them over as they are.
func TestNotificationForStrictPostfix(t *testing.T) {
	needPeers(t, "postfix")
	t.Parallel()
	d := startDaemon(t)
	strict := []string{"virtual_transport = lmtp:inet:" + d.port, "strict_8bitmime_body = yes", "strict_mime_encoding_domain = yes"}
	internationalized := startPostfix(t, strict...)
	p := startPostfix(t, append(strict, "strict_7bit_headers = yes")...) // which goes for SMTPUTF8 too
	wide := "From: größe@example.org\r\nSubject: Größe\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nÜber\r\n"
	for local, tt := range map[string]struct {
		to, content string
		utf8        smtp.Encoding
	}{
		"ann":   {"bob@example.net", "Subject: x\r\n\r\nhi\r\n", smtp.ASCII},
		"ben":   {"bob@example.net", "Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nÜber\r\n", smtp.ASCII},
		"cid":   {"bob@example.net", "Subject: \xfc\r\n\r\n" + strings.Repeat("x", 2000) + "\r\n", smtp.ASCII},
		"größe": {"häuser@example.net", wide, smtp.UTF8},
		"dee":   {"häuser@example.net", wide, smtp.UTF8},
	} {
		t.Run(local, func(t *testing.T) {
			t.Parallel()
			to := local + "@example.org"
			r := dsn.Report{
				Hostname: "mail.example.org", ID: "X1", Arrived: time.Now(), Ret: smtp.RetFull, UTF8: tt.utf8, Content: strings.NewReader(tt.content),
				From: mailbox(t, to), Recipients: []dsn.Recipient{{Recipient: smtp.Recipient{To: mailbox(t, tt.to)}, Action: dsn.Failed}},
			}
			var b bytes.Buffer
			env, err := dsn.Compose(&b, "N1", time.Now(), r)
			if err != nil {
				t.Fatal(err)
			}
			s, p := submission{from: "<> BODY=" + string(env.Body), to: []string{"<" + to + ">"}, body: b.Bytes()}, p
			if env.UTF8 == smtp.UTF8 {
				s.from, p = s.from+" SMTPUTF8", internationalized
			}
			p.fate(t, p.submit(t, s)[0], to, "sent")
			only(t, d, local).sameContent(t, b.Bytes())
		})
	}
}
