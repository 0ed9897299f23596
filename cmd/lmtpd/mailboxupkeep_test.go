package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/store"
	"lmtpd/store/storetest"
)

// A whole mailbox has nothing to tell; one whose message lost octets does.
func TestMailboxCheck(t *testing.T) {
	data := mailboxHost(t)
	for _, args := range []string{"check --data DATA ann", "check --all --data DATA", "check --repair --all --data DATA"} {
		if got := runMailbox(t, exOK, "", strings.Fields(strings.ReplaceAll(args, "DATA", data))...); got != "" {
			t.Errorf("%s: %q", args, got)
		}
	}
	files, err := filepath.Glob(filepath.Join(data, "mail", "localhost", "ann", "new", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	if err := os.Truncate(files[0], 1); err != nil {
		t.Fatal(err)
	}
	id := filepath.Base(files[0])
	want := "ann@localhost  INBOX  " + id + "  has 1 octets, not 3\n"
	for _, args := range []string{"check --data DATA ann", "check --all --data DATA", "check --repair --data DATA ann"} {
		code, got, stderr := runApp(t, strings.Fields("mailbox "+strings.ReplaceAll(args, "DATA", data))...)
		if code != exDataErr || got != want || stderr != "" {
			t.Errorf("%s: exit %d, %q, %q, want %q", args, code, got, stderr, want)
		}
	}
	_, got, _ := runApp(t, "mailbox", "check", "--json", "--all", "--data", data)
	var lines []damageLine
	if err := json.Unmarshal([]byte(got), &lines); err != nil || len(lines) != 1 || lines[0].ID != id || lines[0].Repaired {
		t.Errorf("%s, %v", got, err)
	}
}

// A count that is wrong is told, and put right on request.
func TestMailboxCheckCount(t *testing.T) {
	data, config := t.TempDir(), filepath.Join(t.TempDir(), "lmtpd.toml")
	text := fmt.Sprintf("data = %q\n[[mailboxes]]\ndomains = [\"localhost\"]\nquota = \"1MiB\"\n", data)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	fill(t, data, "x\r\n", store.Placement{Mailbox: annHere})
	runMailbox(t, exOK, "", "recount", "--config", config, "ann")
	size := filepath.Join(data, "mail", "localhost", "ann", "maildirsize")
	if err := os.WriteFile(size, []byte("1048576S\n99 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args, want string
		code       int
	}{
		{"check", "ann@localhost  -  -  counts 7 messages of 99 octets, but has 1 of 3\n", exDataErr},
		{"check --repair", "ann@localhost  -  -  counts 7 messages of 99 octets, but has 1 of 3; repaired\n", exOK},
		{"check", "", exOK},
	} {
		code, got, stderr := runApp(t, strings.Fields("mailbox "+step.args+" --config "+config+" ann")...)
		if code != step.code || got != step.want || stderr != "" {
			t.Errorf("%s: exit %d, %q, %q, want %q", step.args, code, got, stderr, step.want)
		}
	}
}

func TestMailboxUpkeepMistakes(t *testing.T) {
	data, none := mailboxHost(t), filepath.Join(t.TempDir(), "none")
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"check --data DATA", exUsage, "give either a mailbox or --all"},
		{"check --all --data DATA ann", exUsage, "give either a mailbox or --all"},
		{"check --data DATA eve", exNoUser, "no such mailbox"},
		{"vacuum --data DATA", exUnavailable, "/mail/%d/%n cannot do vacuum"},
		{"vacuum --data NONE", exNoUser, "there are no mailboxes"},
		{"backup --data DATA NONE", exUnavailable, "/mail/%d/%n cannot do backup"},
		{"backup --data DATA", exUsage, "missing argument: FILE"},
	} {
		args := strings.NewReplacer("DATA", data, "NONE", none).Replace(test.args)
		runMailbox(t, test.code, test.says, strings.Fields(args)...)
	}
}

// A deepStore sees more than the contract lets one.
type deepStore struct {
	*storetest.Memory
	damage []store.Damage
	err    error
}

func (d deepStore) Inspect(_ context.Context, _ *store.Mailbox, repair store.Repair) iter.Seq2[store.Damage, error] {
	return func(yield func(store.Damage, error) bool) {
		for _, one := range d.damage {
			one.PutRight = repair == store.PutRight
			if !yield(one, nil) {
				return
			}
		}
		if d.err != nil {
			yield(store.Damage{}, d.err)
		}
	}
}

// What a store finds itself is told with the rest, and so is what it could not look at.
func TestInspectionDeep(t *testing.T) {
	broken := errors.New("broken")
	s := deepStore{&storetest.Memory{}, []store.Damage{{Mailbox: "ann@localhost", What: "one"}, {What: "two"}}, broken}
	for _, repair := range []store.Repair{store.OnlyTell, store.PutRight} {
		i := &inspection{progress: &progress{}, ctx: t.Context(), repair: repair}
		i.deep(s, nil)
		if len(i.lines) != 2 || i.lines[1].What != "two" || i.lines[0].Repaired != (repair == store.PutRight) || len(i.errs) != 1 || !errors.Is(i.errs[0], broken) {
			t.Errorf("%+v, %v", i.lines, i.errs)
		}
	}
}

// A busyStore gets a message each time that somebody lists a folder.
type busyStore struct {
	*storetest.Memory
	more int
}

func (b *busyStore) Messages(ctx context.Context, m store.Mailbox, folder string) ([]store.Message, error) {
	list, err := b.Memory.Messages(ctx, m, folder)
	if b.more > 0 {
		b.more--
		err = errors.Join(err, errors.Join(b.Deliver(ctx, strings.NewReader("x"), []store.Placement{{Mailbox: m, Folder: fmt.Sprint(b.more)}})...))
	}
	return list, err
}

// Mail that comes in while a mailbox is checked is no damage.
func TestInspectionBusy(t *testing.T) {
	for more := range 30 {
		s := &busyStore{&storetest.Memory{}, more + 1}
		if _, err := s.Messages(t.Context(), annHere, ""); err != nil && !errors.Is(err, store.ErrNoMailbox) {
			t.Fatal(err)
		}
		i := &inspection{progress: &progress{}, ctx: t.Context()}
		i.mailbox(mailbox{store: s, Mailbox: annHere})
		if len(i.lines) != 0 || len(i.errs) != 0 {
			t.Errorf("%d more: %+v, %v", more, i.lines, i.errs)
		}
	}
}
