package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a Postfix hands over, a mailbox has, octet for octet but for the line ends and the fields that were put before it.
func TestPostfixDelivers(t *testing.T) {
	needPeers(t, "postfix")
	onStores(t, postfixDelivers)
}

func postfixDelivers(t *testing.T, d *daemon) {
	t.Parallel()
	d.start(t)
	p := startPostfix(t, "virtual_transport = lmtp:unix:"+d.socket)
	utf8 := "From: =?utf-8?q?Bj=C3=B6rn?= <björn@example.net>\r\nTo: <größe@example.org>\r\nSubject: Größe\r\n" +
		"Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.net>\r\n\r\nÜbergröße\r\n"
	for _, c := range []struct {
		name      string
		from      string // path and parameters
		localPart string
		body      []byte
		with      string // the protocol in Received (RFC 3848, RFC 6531 §4.3)
	}{
		{"8-bit content", "<sender@example.net> BODY=8BITMIME", "ann", letter("8bit", 4000), "LMTP"},
		{"dots", "<sender@example.net>", "ben", letter("dots", 600), "LMTP"},
		{"20 MB", "<sender@example.net> SIZE=20000000", "cid", letter("20MB", 20_000_000), "LMTP"},
		{"SMTPUTF8", "<björn@example.net> BODY=8BITMIME SMTPUTF8", "größe", []byte(utf8), "UTF8LMTP"},
		{"null reverse-path", "<>", "dee", letter("null", 300), "LMTP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := c.localPart + "@example.org"
			id := p.submit(t, submission{from: c.from, to: []string{"<" + to + ">"}, body: c.body})[0]
			p.fate(t, id, to, "sent")
			got := only(t, d, c.localPart)
			got.sameContent(t, c.body)
			path, _, _ := strings.Cut(c.from, " ")
			expectField(t, got, "Return-Path", `^`+regexp.QuoteMeta(path)+`$`)
			expectField(t, got, "Delivered-To", `^<?`+regexp.QuoteMeta(to)+`>?$`)
			expectField(t, got, "Received", `by mda\.example\.org.* with `+c.with+` id .*for <`+regexp.QuoteMeta(to)+`>`)
		})
	}
}

// expectField checks the topmost field of a name.
func expectField(t *testing.T, f found, name, pattern string) {
	t.Helper()
	values := f.header(name)
	if len(values) == 0 || !regexp.MustCompile(pattern).MatchString(values[0]) {
		t.Errorf("%s: %q does not match %q", name, values, pattern)
	}
}

func TestPostfixDeliversOverTCP(t *testing.T) {
	needPeers(t, "postfix")
	t.Parallel()
	d := startDaemon(t)
	p := startPostfix(t, "virtual_transport = lmtp:inet:"+d.port)
	body := letter("tcp", 3000)
	id := p.submit(t, submission{from: "<sender@example.net>", to: []string{"<ann@example.org>"}, body: body})[0]
	p.fate(t, id, "ann@example.org", "sent")
	only(t, d, "ann").sameContent(t, body)
}

// As the README sets it up: Postfix's client in its chroot, the socket in a directory below the queue.
func TestPostfixDeliversFromChroot(t *testing.T) {
	needPeers(t, "postfix")
	t.Parallel()
	d := newDaemon(t)
	p := preparePostfix(t, "virtual_transport = lmtp:unix:lmtpd/lmtp")
	p.chroot(t)
	dir := filepath.Join(p.queueDir, "lmtpd")
	mkdirOwned(t, dir)
	chownTo(t, "postfix", dir)
	if err := errors.Join(os.Chown(dir, mailUID, -1), os.Chmod(dir, 0o750)); err != nil {
		t.Fatal(err)
	}
	d.socket = filepath.Join(dir, "lmtp")
	d.configure(t)
	d.start(t)
	p.start(t)
	body := letter("chroot", 3000)
	id := p.submit(t, submission{from: "<sender@example.net>", to: []string{"<ann@example.org>"}, body: body})[0]
	p.fate(t, id, "ann@example.org", "sent")
	only(t, d, "ann").sameContent(t, body)
}

// A domain that is not ASCII comes from Postfix as it was written, and is the one that the configuration names.
func TestPostfixDeliversToIDN(t *testing.T) {
	needPeers(t, "postfix")
	t.Parallel()
	d := newDaemon(t)
	root := filepath.Join(d.dir, "mail", "idn")
	d.configure(t, mailboxes("bücher.example", "maildir:"+root+"/%n"))
	d.start(t)
	p := startPostfix(t, "virtual_transport = lmtp:unix:"+d.socket, "virtual_mailbox_domains = bücher.example, xn--bcher-kva.example")
	for _, to := range []string{"größe@bücher.example", "ann@xn--bcher-kva.example"} {
		body := letter(to, 600)
		id := p.submit(t, submission{from: "<björn@example.net> SMTPUTF8", to: []string{"<" + to + ">"}, body: body})[0]
		p.fate(t, id, to, "sent")
		its := inMailbox(visible(t, root), strings.Split(to, "@")[0])
		if len(its) != 1 {
			t.Fatalf("%s has %d messages, want one", to, len(its))
		}
		its[0].sameContent(t, body)
	}
}

var transactionID = regexp.MustCompile(`Delivered (\S+)`)

// One recipient's trouble is that recipient's alone: in one transaction two are delivered, one has no mailbox and is
// bounced, and one whose mailbox cannot be written stays in the queue until it can.
func TestPostfixRecipients(t *testing.T) {
	needPeers(t, "postfix")
	onStores(t, postfixRecipients)
}

func postfixRecipients(t *testing.T, d *daemon) {
	t.Parallel()
	d.start(t)
	p := startPostfix(t, "virtual_transport = lmtp:unix:"+d.socket)
	allow := d.shelf.block(t, "blocked")

	body := letter("several", 2000)
	id := p.submit(t, submission{from: "<sender@example.org>", body: body,
		to: []string{"<ann@example.org>", `<".hidden"@example.org>`, "<blocked@example.org>", "<ben@example.org>"}})[0]
	ann, ben := p.fate(t, id, "ann@example.org", "sent"), p.fate(t, id, "ben@example.org", "sent")
	if a, b := transactionID.FindString(ann), transactionID.FindString(ben); a == "" || a != b {
		t.Errorf("not one transaction: %q, %q", ann, ben)
	}
	expectReply(t, p.fate(t, id, `".hidden"@example.org`, "bounced"), "550 5.1.1")
	expectReply(t, p.fate(t, id, "blocked@example.org", "deferred"), "451 4.3.0")
	only(t, d, "ann").sameContent(t, body)
	only(t, d, "ben").sameContent(t, body)
	if l := d.logged(t, "blocked@example.org"); l["status"] != "deferred" || l["cause"] == "" {
		t.Errorf("log of the deferred recipient: %v", l)
	}

	bounce := p.await(t, id+`: sender non-delivery notification: (\w+)`)[1]
	p.fate(t, bounce, "sender@example.org", "sent")
	if b := only(t, d, "sender"); !bytes.Contains(b.text, []byte("hidden")) || bytes.Contains(b.text, []byte("blocked")) {
		t.Errorf("the bounce tells of the wrong recipients:\n%s", b.text)
	}

	if left := p.queue(t); len(left) != 1 || !slices.Equal(left[id], []string{"blocked@example.org"}) {
		t.Errorf("queue: %v", left)
	}
	allow()
	p.flush(t)
	p.fate(t, id, "blocked@example.org", "sent")
	only(t, d, "blocked").sameContent(t, body)
	p.await(t, id+`: removed`)
	if all := d.shelf.visible(t, nil); len(all) != 4 {
		t.Errorf("%d messages are visible, want 4", len(all))
	}
}

// expectReply checks how a reply that Postfix logged ("host … said: 550 5.1.1 …") goes on.
func expectReply(t *testing.T, logged, reply string) {
	t.Helper()
	if !strings.Contains(logged, "said: "+reply) {
		t.Errorf("%q, want %s", logged, reply)
	}
}

// The messages of a queue that has grown while the daemon was down come over a few connections, each once.
func TestPostfixReusesConnections(t *testing.T) {
	needPeers(t, "postfix")
	onStores(t, postfixReusesConnections)
}

func postfixReusesConnections(t *testing.T, d *daemon) {
	t.Parallel()
	const n = 500
	p := startPostfix(t, "virtual_transport = lmtp:unix:"+d.socket)
	all := make([]submission, n)
	for i := range all {
		to := fmt.Sprintf("<u%d@example.org>", i%10)
		all[i] = submission{from: "<sender@example.net>", to: []string{to}, body: letter(fmt.Sprint("queued-", i), 2000)}
	}
	p.submit(t, all...)
	p.awaitN(t, n, `status=deferred`)

	d.start(t)
	p.flush(t)
	p.awaitN(t, n, `status=sent`)
	times := make(map[string]int)
	for _, f := range d.shelf.visible(t, nil) {
		times[letterID(f.text)]++
	}
	for i := range all {
		if id := fmt.Sprint("queued-", i); times[id] != 1 {
			t.Errorf("%s is there %d times", id, times[id])
		}
	}
	d.awaitN(t, n, `status=delivered`)
	sessions := make(map[string]bool)
	for _, l := range d.deliveries(t) {
		sessions[l["session"]] = true
	}
	t.Logf("%d messages in %d sessions", n, len(sessions))
	if len(sessions) > n/5 {
		t.Errorf("%d sessions for %d messages", len(sessions), n)
	}
}

// XFORWARD tells who gave Postfix the message, which Received and the log keep.
func TestPostfixForwardsTheClient(t *testing.T) {
	needPeers(t, "postfix")
	t.Parallel()
	d := startDaemon(t)
	p := startPostfix(t, "virtual_transport = lmtp:unix:"+d.socket)
	id := p.submit(t, submission{own: "127.0.0.7", from: "<sender@example.net>", to: []string{"<ann@example.org>"},
		body: letter("forwarded", 500)})[0]
	p.fate(t, id, "ann@example.org", "sent")
	expectField(t, only(t, d, "ann"), "Received", `by mda\.example\.org`)
	expectField(t, only(t, d, "ann"), "Received", `127\.0\.0\.7`)
	d.await(t, `127\.0\.0\.7.*status=delivered|status=delivered.*127\.0\.0\.7`)
}

// ORCPT, which a client gave or which Postfix made when it expanded an alias, and ENVID arrive (RFC 3461 §4).
func TestPostfixPassesDSNParameters(t *testing.T) {
	needPeers(t, "postfix")
	t.Parallel()
	d := newDaemon(t)
	d.start(t)
	p := startPostfix(t, "virtual_transport = lmtp:unix:"+d.socket,
		"virtual_alias_maps = inline:{ sales@example.org=ben@example.org }")
	for _, c := range []struct{ name, to, localPart, original string }{
		{"from the client", "<ann@example.org> NOTIFY=FAILURE ORCPT=rfc822;first+2Bname@example.net", "ann", "first+name@example.net"},
		{"from an alias", "<sales@example.org>", "ben", "sales@example.org"},
		{"the same", "<cid@example.org> ORCPT=rfc822;cid@example.org", "cid", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := c.localPart + "@example.org"
			id := p.submit(t, submission{from: "<sender@example.net> RET=HDRS ENVID=QQ+2B314159", to: []string{c.to},
				body: letter(c.localPart, 500)})[0]
			p.fate(t, id, to, "sent")
			original := strings.Join(only(t, d, c.localPart).header("X-Original-To"), " ")
			if strings.Trim(original, "<>") != c.original {
				t.Errorf("X-Original-To: %q, want %q", original, c.original)
			}
			line := fmt.Sprint(d.logged(t, to))
			if !strings.Contains(line, "QQ+314159") || !strings.Contains(line, c.original) {
				t.Errorf("the log lacks ENVID or ORCPT: %s", line)
			}
		})
	}
}

// Whoever asks to hear of a delivery hears it from Postfix where we do not offer DSN, which only knows that it has handed it over;
// where we do, the duty is ours (RFC 3461 §5.2).
func TestPostfixNotifiesOfDelivery(t *testing.T) {
	needPeers(t, "postfix")
	t.Parallel()
	for dsn, action := range map[string]string{"off": "relayed", "on": "delivered"} {
		t.Run(dsn, func(t *testing.T) {
			t.Parallel()
			d := newDaemon(t)
			d.begin(t, fmt.Sprintf("dsn = %q", dsn))
			d.start(t)
			p := startPostfix(t, "virtual_transport = lmtp:unix:"+d.socket)
			id := p.submit(t, submission{from: "<ann@example.org>", to: []string{"<ben@example.org> NOTIFY=SUCCESS"}, body: letter("notify", 500)})[0]
			p.fate(t, id, "ben@example.org", "sent")
			d.await(t, `from=<> to=<ann@example\.org>.*status=delivered`)
			report := only(t, d, "ann")
			if !strings.Contains(string(report.text), "Action: "+action) || !strings.Contains(string(report.text), "ben@example.org") {
				t.Errorf("the notification:\n%s", report.text)
			}
		})
	}
}
