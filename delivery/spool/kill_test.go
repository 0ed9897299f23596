package spool

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"lmtpd/protocol/smtp"
)

// A note is a Transport that notes in a file what it has taken.
type note struct{ f *os.File }

func (n note) Destination(from, to smtp.Path) string { return to.Domain }

func (n note) Attempt(_ context.Context, _ string, m *Message) ([]Outcome, error) {
	if _, err := readPart(m.Content, 0, m.Content.Size()); err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(m.Recipients))
	for i, to := range m.Recipients {
		if to.To.Local == "bounced" {
			outcomes[i] = Outcome{Fate: Bounced, Reply: refused}
			continue
		}
		if _, err := fmt.Fprintf(n.f, "%s %s\n", m.ID, to.To); err != nil {
			return nil, err
		}
		outcomes[i] = Outcome{Fate: Delivered}
	}
	return outcomes, nil
}

// killed is what the process does that is killed: it puts mail in as fast as it can, and says what is there. With work "drain" it ends
// when nothing is left.
func killed(t *testing.T, dir, work string) {
	taken, err := os.OpenFile(filepath.Join(dir, "taken"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	book, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(filepath.Join(dir, "spool.db"), nil)
	cfg.Transport, cfg.Log = note{taken}, slog.New(slog.NewTextHandler(book, nil))
	run := fmt.Sprint("p", os.Getpid(), "-")
	cfg.NewID = func() string { return run + newID() }
	s := open(t, cfg)
	stop := start(t, s)
	if work == "drain" {
		for rows(t, s, "message") > 0 {
		}
		stop()
		s.Close()
		return
	}
	var mu sync.Mutex
	for n := range 8 {
		go func() {
			for i := 0; ; i++ {
				m := mail(fmt.Sprintf("ann%d@here.example", n), strings.Repeat("x", rand.IntN(20_000)), "bob@a.example", "cid@b.example", "bounced@c.example")
				m.Envelope.ID = cfg.NewID()
				if err := s.Put(context.Background(), m); err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Println("there", m.Envelope.ID)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// A process is killed under load, again and again. All that Put has said is there arrives, and nothing twice but what the log says may.
func TestKilled(t *testing.T) {
	const env = "LMTPD_TEST_SPOOL_KILLED"
	if dir := os.Getenv(env); dir != "" {
		killed(t, dir, os.Getenv(env+"_WORK"))
		return
	}
	dir := t.TempDir()
	child := func(work string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilled$")
		cmd.Env = append(os.Environ(), env+"="+dir, env+"_WORK="+work)
		return cmd
	}
	there := map[string]bool{}
	for range 5 {
		cmd := child("put")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		last := 50 + rand.IntN(400)
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if id, ok := strings.CutPrefix(lines.Text(), "there "); ok {
				there[id] = true
			}
			if n == last {
				cmd.Process.Kill()
			}
		}
		cmd.Wait()
	}
	if out, err := child("drain").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	doubts := map[string]bool{}
	for _, m := range regexp.MustCompile(`may come twice" id=(\S+) from=\S+ to=<(\S+)>`).FindAllStringSubmatch(read(t, dir, "log"), -1) {
		doubts[m[1]+" "+m[2]] = true
	}
	taken := map[string]int{}
	for line := range strings.Lines(read(t, dir, "taken")) {
		taken[strings.TrimSpace(line)]++
	}
	for id := range there {
		for _, to := range []string{"bob@a.example", "cid@b.example"} {
			if taken[id+" "+to] == 0 {
				t.Errorf("%s is lost for %s", id, to)
			}
		}
	}
	twice, notices := 0, 0
	for what, n := range taken {
		if n > 1 {
			twice++
		}
		if n > 1 && !doubts[what] {
			t.Errorf("%s was taken %d times, and there was no doubt", what, n)
		}
		if strings.Contains(what, "@here.example") {
			notices++
		}
	}
	if notices < len(there) {
		t.Errorf("%d notifications of %d messages", notices, len(there))
	}
	t.Logf("%d messages, %d recipients twice, %d in doubt, %d notifications", len(there), twice, len(doubts), notices)
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
