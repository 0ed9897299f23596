package main_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// While mail comes in, other processes list, flag, move, remove, import, check, vacuum and back up the same database. All mail is
// answered 250, and what is there in the end is what came in, moved and without what was removed.
func TestProcessesOnDatabase(t *testing.T) {
	const rounds = 3
	d := newDatabaseDaemon(t)
	d.start(t)
	l := newLoad(d)
	for n := range 20 {
		id := fmt.Sprint("first-", n)
		l.sent[id] = 1000
		expectReplies(t, dial(t, "unix", d.socket).lhlo().transaction(letter(id, 1000), "u0@example.org"), "250 2.1.5")
		l.receipts = append(l.receipts, receipt{id, "u0"})
	}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for n := range 2 {
		clients.Go(func() { l.until(t, stop, fmt.Sprint("c", n)) })
	}
	c := commands{d, t, map[receipt]string{}}
	for round := range rounds {
		c.round(round)
	}
	close(stop)
	clients.Wait()
	d.stop(t)
	t.Logf("%d receipts; %s", len(l.receipts), d.shelf.checked(t))

	for n := range rounds * imported {
		l.sent[fmt.Sprint("import-", n)] = 2000
		l.receipts = append(l.receipts, receipt{fmt.Sprint("import-", n), "u0"})
	}
	times := map[receipt]int{}
	for _, f := range d.shelf.visible(t, nil) {
		if id, is := l.whole(t, f); is {
			r := receipt{id, f.mailbox}
			times[r]++
			if want := c.done[r]; want != f.folder {
				t.Errorf("%v is in %q, want %q", r, f.folder, want)
			}
		}
	}
	for _, r := range l.receipts {
		want := 1
		if c.done[r] == "removed" {
			want = 0
		}
		if times[r] != want {
			t.Errorf("%v is there %d times, want %d", r, times[r], want)
		}
	}
	saved := database{filepath.Join(d.dir, "data", fmt.Sprint("backup", rounds-1)), "example.org"}
	saved.checked(t)
	for _, f := range saved.visible(t, nil) {
		l.whole(t, f)
	}
}

// until sends letters until it is told to stop, and each must be answered 250.
func (l *load) until(t *testing.T, stop chan struct{}, name string) {
	conn, err := l.connect()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		if id := fmt.Sprint(name, "-", n); !l.letter(conn, id, letterSize()) {
			t.Errorf("%s was not answered 250", id)
			return
		}
	}
}

// imported is how many messages a round of commands imports.
const imported = 5

// commands are those of `lmtpd mailbox` on a daemon's database, and what they have done to letters: the folder that each was
// moved to, or "removed".
type commands struct {
	*daemon
	t    *testing.T
	done map[receipt]string
}

func (c commands) mailbox(command string, args ...string) string {
	c.t.Helper()
	return c.run(c.t, append([]string{"mailbox", command, "--config", c.config}, args...)...)
}

// some is a message of u0's INBOX that the daemon has delivered, and its letter.
func (c commands) some() (id string, r receipt) {
	c.t.Helper()
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(c.mailbox("messages", "--json", "u0@example.org")), &list); err != nil || len(list) == 0 {
		c.t.Fatalf("messages of u0: %v, %v", list, err)
	}
	id = list[len(list)/2].ID
	return id, receipt{letterID([]byte(c.mailbox("show", "u0@example.org", id))), "u0"}
}

func (c commands) round(n int) {
	c.t.Helper()
	id, _ := c.some()
	c.mailbox("flag", "--add", "work", "u0@example.org", id)
	id, r := c.some()
	c.done[r] = "Archive/Größe"
	c.mailbox("move", "--to", c.done[r], "u0@example.org", id)
	if id, r = c.some(); c.done[r] == "" {
		c.done[r] = "removed"
		c.mailbox("remove", "u0@example.org", id)
	}
	var box strings.Builder
	for i := range imported {
		text := strings.ReplaceAll(string(onDisk(letter(fmt.Sprint("import-", n*imported+i), 2000))), "\nFrom ", "\n>From ")
		fmt.Fprintf(&box, "From x Mon Jan  2 15:04:05 2006\n%s\n", text)
	}
	file := filepath.Join(c.dir, fmt.Sprint("import", n))
	writeFile(c.t, file, box.String())
	for _, want := range []string{"5 put  0 there", "0 put  5 there"} {
		if got := c.mailbox("import", "u0@example.org", "mbox:"+file); !strings.Contains(got, want) {
			c.t.Errorf("import: %q, want %s", got, want)
		}
	}
	if got := c.mailbox("check", "--all"); got != "" {
		c.t.Errorf("check: %s", got)
	}
	c.mailbox("vacuum")
	c.mailbox("backup", filepath.Join(c.dir, "data", fmt.Sprint("backup", n)))
}
