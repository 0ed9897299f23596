package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lmtpd/store"
	"lmtpd/store/maildir"
)

// A folder whose name is not ASCII, as our store calls it and as IMAP and Maildir++ do (RFC 3501 §5.1.3).
const (
	folderName = "Archive/Größe"
	folderIMAP = "Archive/Gr&APYA3w-e"
)

// openMaildirs opens the daemon's maildirs as a store of the test's own.
func openMaildirs(t *testing.T, d *daemon) *maildir.Store {
	t.Helper()
	template, err := store.ParseTemplate(d.root + "/%d/%n")
	if err != nil {
		t.Fatal(err)
	}
	s, err := maildir.Open(maildir.Config{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// place puts a message into a folder, with flags, past the daemon, which does not choose folders yet.
func place(t *testing.T, d *daemon, p store.Placement, message []byte) {
	t.Helper()
	for _, err := range openMaildirs(t, d).Deliver(t.Context(), bytes.NewReader(message), []store.Placement{p}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	chownMail(t, d.root)
}

// Dovecot finds in INBOX and in a folder what the daemon and its store put there: content, flags, sizes.
func TestDovecotReads(t *testing.T) {
	needPeers(t, "postfix", "dovecot", "doveadm")
	t.Parallel()
	const ann = "ann@example.org"
	d := startDaemon(t)
	c := dial(t, "unix", d.socket).lhlo()
	sent := [][]byte{letter("one", 1000), letter("two", 100_000), []byte("Subject: no body\r\n"), []byte("\r\nno header\r\n")}
	for _, body := range sent {
		expectReplies(t, c.transaction(body, ann), "250 2.1.5")
	}
	trace := []byte("Delivered-To: " + ann + "\r\n")
	place(t, d, store.Placement{Mailbox: store.Mailbox{Name: ann}, Folder: folderName, Trace: trace,
		Flags: []store.Flag{store.FlagSeen, store.FlagFlagged}}, letter("filed", 5000))

	dv := startDovecot(t, d.root)
	im := dv.login(t, ann)
	for _, verb := range []string{"LIST", "LSUB"} {
		if names := im.folders(verb); !slices.Contains(names, folderIMAP) {
			t.Errorf("%s tells of %q, not of %s", verb, names, folderIMAP)
		}
	}
	if names := dv.doveadm(t, "mailbox", "list", "-u", ann); !slices.Contains(names, folderName) {
		t.Errorf("doveadm tells of %q", names)
	}
	sizes := announced(t, d.mailbox("ann"))
	inbox := im.fetchAll("INBOX")
	if len(inbox) != len(sent) {
		t.Fatalf("INBOX has %d messages, want %d", len(inbox), len(sent))
	}
	for i, m := range inbox {
		m.expect(t, sizes, `\Recent`, sent[i])
	}
	filed := im.fetchAll(folderIMAP)
	if len(filed) != 1 {
		t.Fatalf("%s has %d messages, want 1", folderName, len(filed))
	}
	filed[0].expect(t, sizes, `\Flagged \Seen`, letter("filed", 5000))

	late := letter("late", 700) // Dovecot's files do not stop us, nor ours Dovecot
	expectReplies(t, c.transaction(late, ann), "250 2.1.5")
	if inbox = im.fetchAll("INBOX"); len(inbox) != len(sent)+1 {
		t.Errorf("INBOX has %d messages, want one more", len(inbox))
	} else {
		inbox[len(sent)].expect(t, announced(t, d.mailbox("ann")), `\Recent`, late)
	}
	im.do("LOGOUT")
	if counted := dv.doveadm(t, "mailbox", "status", "-u", ann, "-t", "messages", "*"); !slices.Contains(counted, "messages=6") {
		t.Errorf("doveadm counts %q", counted)
	}
	dv.satisfied(t)
}

// expect compares what IMAP shows with what was sent, and the size with one that a file's name announces.
func (m fetched) expect(t *testing.T, sizes map[int]bool, flags string, sent []byte) {
	t.Helper()
	if !bytes.HasSuffix(m.text, sent) {
		t.Errorf("%d octets read over IMAP do not end with the %d that were sent", len(m.text), len(sent))
	}
	if m.size != len(m.text) || !sizes[m.size] {
		t.Errorf("RFC822.SIZE %d, %d octets read, announced %v", m.size, len(m.text), sizes)
	}
	if strings.TrimSuffix(m.flags, ` \Recent`) != strings.TrimSuffix(flags, ` \Recent`) {
		t.Errorf("flags %q, want %q", m.flags, flags)
	}
	if age := time.Since(m.date); age < -time.Minute || age > 10*time.Minute {
		t.Errorf("internal date %v is not now", m.date)
	}
}

var sizesInName = regexp.MustCompile(`,S=(\d+),W=(\d+)(:2,[A-Za-z]*)?$`)

// announced returns the sizes in wire form (W=) that the names of a mailbox's files tell, and checks S= against the files.
func announced(t *testing.T, mailbox string) map[int]bool {
	t.Helper()
	sizes := make(map[int]bool)
	for _, f := range visible(t, mailbox) {
		part := sizesInName.FindStringSubmatch(filepath.Base(f.path))
		if part == nil {
			t.Errorf("%s does not tell its size", f.path)
			continue
		}
		if part[1] != strconv.Itoa(len(f.text)) {
			t.Errorf("%s: S=%s, but it has %d octets", f.path, part[1], len(f.text))
		}
		w, _ := strconv.Atoi(part[2])
		sizes[w] = true
	}
	return sizes
}

// A listed is a message in `lmtpd mailbox messages --json`.
type listed struct {
	ID     string       `json:"id"`
	Date   time.Time    `json:"date"`
	Octets int          `json:"octets"`
	Flags  []store.Flag `json:"flags"`
}

// list runs `lmtpd mailbox messages`.
func (d *daemon) list(t *testing.T, user, folder string) (all []listed) {
	t.Helper()
	args := []string{"mailbox", "messages", "--config", d.config, "--json"}
	if folder != "" {
		args = append(args, "--folder", folder)
	}
	if err := json.Unmarshal([]byte(d.run(t, append(args, user)...)), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// What Dovecot's LMTP and IMAP servers wrote, the commands list and show, and a change of flags over IMAP is seen.
func TestReadsDovecot(t *testing.T) {
	needPeers(t, "postfix", "dovecot")
	t.Parallel()
	const ann = "ann@example.org"
	d := newDaemon(t) // its commands work on the store and need no `serve`
	dv := startDovecot(t, d.root)
	first, second, filed := letter("first", 900), letter("second", 3000), letter("filed", 40_000)
	dial(t, "unix", dv.lmtp).lhlo().transaction(first, ann)
	im := dv.login(t, ann)
	im.do("CREATE %s", folderIMAP)
	im.do("SUBSCRIBE %s", folderIMAP)
	im.append("INBOX", `(\Answered)`, second)
	im.append(folderIMAP, `(\Seen \Draft Work) "02-Jan-2020 10:00:00 +0000"`, filed)

	folders, err := openMaildirs(t, d).Folders(t.Context(), store.Mailbox{Name: ann})
	if err != nil || !slices.Contains(folders, folderName) {
		t.Errorf("folders %q, %v", folders, err)
	}
	inbox, folder := d.list(t, ann, ""), d.list(t, ann, folderName)
	if len(inbox) != 2 || len(folder) != 1 {
		t.Fatalf("INBOX %v, %s %v", inbox, folderName, folder)
	}
	d.expectShown(t, ann, "", inbox[0], first)
	d.expectShown(t, ann, "", inbox[1], second)
	d.expectShown(t, ann, folderName, folder[0], filed)
	expectFlags(t, inbox[1], store.FlagAnswered)
	expectFlags(t, folder[0], store.FlagSeen, store.FlagDraft)
	if want := time.Date(2020, 1, 2, 10, 0, 0, 0, time.UTC); !folder[0].Date.Equal(want) {
		t.Errorf("date %v, want the internal date %v", folder[0].Date, want)
	}

	im.do("SELECT INBOX")
	im.do(`STORE 1 FLAGS (\Seen \Flagged)`)
	again := d.list(t, ann, "")
	if again[0].ID != inbox[0].ID {
		t.Errorf("ID %s became %s with new flags", inbox[0].ID, again[0].ID)
	}
	expectFlags(t, again[0], store.FlagSeen, store.FlagFlagged)
	if all := d.run(t, "mailbox", "list", "--config", d.config); !strings.HasPrefix(all, ann) {
		t.Errorf("mailbox list:\n%s", all)
	}
	dv.satisfied(t)
}

// expectShown checks that `lmtpd mailbox show` prints a message that ends as it was sent, in both forms of line ends.
func (d *daemon) expectShown(t *testing.T, user, folder string, m listed, sent []byte) {
	t.Helper()
	for wire, want := range map[bool][]byte{true: sent, false: onDisk(sent)} {
		shown := d.run(t, "mailbox", "show", "--config", d.config, "--folder="+folder, fmt.Sprint("--wire=", wire), user, m.ID)
		if !strings.HasSuffix(shown, string(want)) {
			t.Errorf("show %s, wire %v: %d octets do not end with what was sent", m.ID, wire, len(shown))
		}
		if wire && len(shown) != m.Octets {
			t.Errorf("%s: %d octets are shown, %d listed", m.ID, len(shown), m.Octets)
		}
	}
}

// expectFlags compares flags, whatever their order.
func expectFlags(t *testing.T, m listed, want ...store.Flag) {
	t.Helper()
	for _, f := range want {
		if !slices.Contains(m.Flags, f) {
			t.Errorf("%s has the flags %q, not %s", m.ID, m.Flags, f)
		}
	}
}

// The daemon's maildirs keep to themselves: neither what Dovecot puts beside the messages nor its folders are mailboxes.
func TestDovecotsFilesAreNoMailboxes(t *testing.T) {
	needPeers(t, "postfix", "dovecot")
	t.Parallel()
	d := newDaemon(t)
	dv := startDovecot(t, d.root)
	im := dv.login(t, "ann@example.org")
	im.do("CREATE %s", folderIMAP)
	im.append("INBOX", "", letter("one", 500))
	im.do("LOGOUT")
	if _, err := os.Stat(filepath.Join(d.mailbox("ann"), "dovecot-uidlist")); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, err := range openMaildirs(t, d).Mailboxes(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		names = append(names, name)
	}
	if !slices.Equal(names, []string{"ann@example.org"}) {
		t.Errorf("mailboxes %q", names)
	}
}
