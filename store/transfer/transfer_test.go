package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/store"
	"lmtpd/store/mbox"
	"lmtpd/store/storetest"
)

var ann = store.Mailbox{Name: "ann@example.org"}

// A tally is a Watch that counts.
type tally struct {
	expected int
	outcomes [3]int
	failed   []string
}

func (w *tally) Expect(n int)   { w.expected += n }
func (w *tally) Done(o Outcome) { w.outcomes[o]++ }
func (w *tally) Failed(what string, cause error) {
	w.failed = append(w.failed, fmt.Sprintf("%s: %v", what, cause))
}

// host is a store with a mailbox of every kind of message.
func host(t testing.TB) *storetest.Memory {
	t.Helper()
	m := &storetest.Memory{}
	second := time.Date(2020, 1, 2, 3, 4, 5, 678, time.UTC)
	for i, p := range []store.Placement{
		{Date: second}, {Date: second}, // the same twice
		{Date: second, Flags: []store.Flag{store.FlagSeen}}, {Date: second.Add(time.Hour), Folder: "Lists/Go"},
		{Date: second.Add(-time.Hour), Folder: "Lists/Go", Flags: []store.Flag{store.FlagFlagged, "$Label1"}}, {Date: second, Folder: "Lists"},
		{Date: second.Add(time.Second), Folder: "Entwürfe", Flags: []store.Flag{store.FlagDraft}},
	} {
		p.Mailbox = ann
		text := strings.Repeat("Subject: x\r\n\r\nFrom here\r\nno end", max(1, i))
		if i == 5 {
			text = ""
		}
		must(t, m.Deliver(t.Context(), strings.NewReader(text), []store.Placement{p})[0])
	}
	must(t, m.MakeFolder(t.Context(), ann, "Empty"))
	must(t, m.SetSubscriptions(t.Context(), ann, []string{"Lists", "Not there"}))
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// contents describes all that is in a mailbox.
func contents(t testing.TB, s store.Store) (all []string) {
	t.Helper()
	folders, err := Mailbox{s, ann}.folders(t)
	must(t, err)
	for _, folder := range folders {
		list, err := s.Messages(t.Context(), ann, folder)
		must(t, err)
		for _, m := range list {
			r, err := s.Open(t.Context(), ann, folder, m.ID)
			must(t, err)
			text, err := io.ReadAll(r)
			must(t, errors.Join(err, r.Close()))
			slices.Sort(m.Flags)
			all = append(all, fmt.Sprintf("%s %d %q %q", folder, m.Date.Unix(), m.Flags, text))
		}
	}
	slices.Sort(all)
	return all
}

func (m Mailbox) folders(t testing.TB) ([]string, error) {
	folders, err := m.Store.Folders(t.Context(), m.Mailbox)
	return append([]string{""}, folders...), err
}

func same(t testing.TB, got, want store.Store) {
	t.Helper()
	if g, w := contents(t, got), contents(t, want); !slices.Equal(g, w) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(g, "\n"), strings.Join(w, "\n"))
	}
}

func job(t testing.TB) (Job, *tally) {
	t.Helper()
	w := &tally{}
	spool := NewSpool(t.TempDir())
	t.Cleanup(func() { must(t, spool.Close()) })
	return Job{spool, w}, w
}

// copyAll copies ann's mailbox.
func copyAll(ctx context.Context, t testing.TB, from, to store.Store) (*tally, error) {
	t.Helper()
	j, w := job(t)
	folders, err := Mailbox{from, ann}.folders(t)
	must(t, err)
	target := &Target{Mailbox: Mailbox{to, ann}}
	if err := j.Copy(ctx, Mailbox{from, ann}, folders, target); err != nil {
		return w, err
	}
	return w, j.Subscribe(ctx, Mailbox{from, ann}, target)
}

func TestCopy(t *testing.T) {
	from, to := host(t), &storetest.Memory{}
	for _, want := range [][3]int{{Put: 7}, {There: 7}} {
		w, err := copyAll(t.Context(), t, from, to)
		if err != nil || w.outcomes != want || w.expected != 7 || len(w.failed) > 0 {
			t.Errorf("%+v, %v, want %v", w, err, want)
		}
		same(t, to, from)
	}
	folders, err := to.Folders(t.Context(), ann)
	if want := []string{"Empty", "Entwürfe", "Lists", "Lists/Go"}; err != nil || !slices.Equal(folders, want) {
		t.Errorf("folders %q, %v", folders, err)
	}
	if subs, err := to.Subscriptions(t.Context(), ann); err != nil || !slices.Equal(subs, []string{"Lists", "Not there"}) {
		t.Errorf("subscriptions %q, %v", subs, err)
	}
}

// A transfer is cut off at each message in turn, before it is there or after, and done again.
func TestInterruption(t *testing.T) {
	from := host(t)
	for n := range 7 {
		for _, delivered := range []bool{false, true} {
			to := &storetest.Memory{}
			ctx, cancel := context.WithCancel(t.Context())
			calls := 0
			to.Fault = func(op storetest.Op, _ string) error {
				if op != storetest.OpDeliver {
					return nil
				}
				if calls++; calls <= n {
					return nil
				}
				cancel()
				if delivered {
					return nil
				}
				return context.Canceled
			}
			w, err := copyAll(ctx, t, from, to)
			if !errors.Is(err, context.Canceled) || calls != n+1 || len(w.failed) > 0 {
				t.Errorf("cut off at %d: %v after %d deliveries, %q", n, err, calls, w.failed)
			}
			to.Fault = nil
			w, err = copyAll(t.Context(), t, from, to)
			had := n
			if delivered {
				had++
			}
			if err != nil || w.outcomes[There] != had {
				t.Errorf("again after %d: %+v, %v", n, w, err)
			}
			same(t, to, from)
		}
	}
}

// What flags a message has got since, and what else is there, does not matter.
func TestAgainAfterChanges(t *testing.T) {
	from, to := host(t), &storetest.Memory{}
	_, err := copyAll(t.Context(), t, from, to)
	must(t, err)
	list, err := to.Messages(t.Context(), ann, "")
	must(t, err)
	must(t, to.SetFlags(t.Context(), ann, "", list[0].ID, []store.Flag{store.FlagAnswered}))
	must(t, to.Remove(t.Context(), ann, "", list[1].ID))
	p := store.Placement{Mailbox: ann, Date: list[0].Date}
	must(t, to.Deliver(t.Context(), strings.NewReader("another of that second"), []store.Placement{p})[0])
	w, err := copyAll(t.Context(), t, from, to)
	if err != nil || w.outcomes != [3]int{Put: 1, There: 6} {
		t.Errorf("%+v, %v", w, err)
	}
	if n := len(contents(t, to)); n != 8 {
		t.Errorf("%d messages, want 8", n)
	}
}

// A message that cannot be had is told, and the others come; a full disk ends it.
func TestTrouble(t *testing.T) {
	from, to := host(t), &storetest.Memory{}
	broken, calls := errors.New("broken"), 0
	to.Fault = func(op storetest.Op, _ string) error {
		if op != storetest.OpDeliver {
			return nil
		}
		if calls++; calls == 3 {
			return broken
		}
		return nil
	}
	w, err := copyAll(t.Context(), t, from, to)
	if err != nil || w.outcomes[Put] != 6 || len(w.failed) != 1 || !strings.Contains(w.failed[0], "broken") {
		t.Errorf("%+v, %v", w, err)
	}
	to.Fault = func(op storetest.Op, _ string) error {
		if op == storetest.OpDeliver {
			return store.ErrFull
		}
		return nil
	}
	if _, err = copyAll(t.Context(), t, from, to); !errors.Is(err, store.ErrFull) {
		t.Errorf("%v, want ErrFull", err)
	}
}

// There and back through an mbox nothing is lost, below a folder or not.
func TestMboxThereAndBack(t *testing.T) {
	from := host(t)
	j, w := job(t)
	folders, err := Mailbox{from, ann}.folders(t)
	must(t, err)
	var file bytes.Buffer
	must(t, j.Export(t.Context(), Mailbox{from, ann}, folders, mbox.NewWriter(&file)))
	if w.outcomes[Put] != 7 || w.expected != 7 {
		t.Errorf("%+v", w)
	}
	to := &storetest.Memory{}
	for _, want := range [][3]int{{Put: 7}, {There: 7}} {
		j, w := job(t)
		err := j.Import(t.Context(), mbox.NewReader(bytes.NewReader(file.Bytes())), time.Unix(1, 0), &Target{Mailbox: Mailbox{to, ann}})
		if err != nil || w.outcomes != want || w.expected != 7 {
			t.Errorf("%+v, %v, want %v", w, err, want)
		}
		same(t, to, from)
	}
	below := &Target{Mailbox: Mailbox{to, ann}, Below: "Old"}
	must(t, j.Import(t.Context(), mbox.NewReader(bytes.NewReader(file.Bytes())), time.Unix(1, 0), below))
	folders, err = to.Folders(t.Context(), ann)
	if want := []string{"Entwürfe", "Lists", "Lists/Go", "Old", "Old/Entwürfe", "Old/Lists", "Old/Lists/Go"}; err != nil || !slices.Equal(folders, want) {
		t.Errorf("folders %q, %v", folders, err)
	}
}

// An import is cut off at each message in turn, and done again.
func TestImportInterruption(t *testing.T) {
	from := host(t)
	j, _ := job(t)
	folders, err := Mailbox{from, ann}.folders(t)
	must(t, err)
	var file bytes.Buffer
	must(t, j.Export(t.Context(), Mailbox{from, ann}, folders, mbox.NewWriter(&file)))
	for n := range 7 {
		to, calls := &storetest.Memory{}, 0
		ctx, cancel := context.WithCancel(t.Context())
		to.Fault = func(op storetest.Op, _ string) error {
			if op == storetest.OpDeliver {
				if calls++; calls > n {
					cancel()
				}
			}
			return nil
		}
		for _, ctx := range []context.Context{ctx, t.Context()} {
			in := mbox.NewReader(bytes.NewReader(file.Bytes()))
			err = j.Import(ctx, in, time.Unix(1, 0), &Target{Mailbox: Mailbox{to, ann}})
		}
		must(t, err)
		same(t, to, from)
	}
}

// A message that is large goes through a file, and one after it does not have its end.
func TestSpool(t *testing.T) {
	s := NewSpool(t.TempDir())
	defer s.Close()
	for _, size := range []int{0, 1, inMemory - 1, inMemory, inMemory + 1, 5*inMemory + 7, 10, 2*inMemory + 1} {
		want := bytes.Repeat([]byte("0123456"), size/7+1)[:size]
		must(t, s.fill(iotestReader{bytes.NewReader(want)}))
		got, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d octets came back as %d, %v", size, len(got), err)
		}
		if n, err := s.ReadAt(make([]byte, 10), int64(size)); n != 0 || err != io.EOF {
			t.Errorf("behind the end: %d, %v", n, err)
		}
		for _, off := range []int{inMemory - 5, inMemory} {
			b := make([]byte, 10)
			if n, _ := s.ReadAt(b, int64(off)); off < size && string(b[:n]) != string(want[off:min(off+10, size)]) {
				t.Errorf("%d octets at %d: %q", size, off, b[:n])
			}
		}
	}
	if err := NewSpool("/nonexistent").fill(bytes.NewReader(make([]byte, 2*inMemory))); !errors.Is(err, errSpool) {
		t.Errorf("no place for a file: %v", err)
	}
}

// iotestReader reads in odd pieces.
type iotestReader struct{ io.Reader }

func (r iotestReader) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 100_003)]) }

// Digests see line ends, not how they are written.
func TestDigest(t *testing.T) {
	sum := func(text string) digest {
		d, err := digestOf(strings.NewReader(text))
		must(t, err)
		return d
	}
	long := strings.Repeat("x", 64<<10-1)
	for _, pair := range [][2]string{{"a\nb\n", "a\r\nb\r\n"}, {"\n\n", "\r\n\r\n"}, {long + "\r\n", long + "\n"}, {long + "x\n", long + "x\r\n"}} {
		if sum(pair[0]) != sum(pair[1]) {
			t.Errorf("%.20q and %.20q differ", pair[0], pair[1])
		}
	}
	seen := map[digest]string{}
	for _, text := range []string{"", "\r", "\r\n", "\r\r\n", "a", "a\r", "a\r\n", "a\r\n\r\n"} {
		d := sum(text)
		if other, twice := seen[d]; twice {
			t.Errorf("%q and %q are the same", text, other)
		}
		seen[d] = text
	}
}
