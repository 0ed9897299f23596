package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lmtpd/store"
)

// Mail that was there before, in several databases, is caught up with, whatever interrupts it.
func TestIndexResumes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "%d.db")
	s := open(t, path)
	const messages = 150
	for i := range messages {
		deliver(t, s, fmt.Sprintf("Subject: word n%d\r\n\r\n%s", i, strings.Repeat("text ", 200)), store.Mailbox{Name: fmt.Sprintf("ann@d%d.example", i%3)})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for tries := 0; n < messages && tries < messages; tries++ {
		s := openIndexed(t, path)
		ctx, cancel := context.WithCancel(t.Context())
		var steps atomic.Int64 // of all databases
		s.fault = func(step string) error {
			if n := steps.Add(1); step == "index" && n%40 == 0 {
				cancel()
			}
			return nil
		}
		some, err := s.Index(ctx)
		if n += some; err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		cancel()
	}
	s = openIndexed(t, path)
	index(t, s)
	for i := range 3 {
		if got := found(t, s, store.Mailbox{Name: fmt.Sprintf("ann@d%d.example", i)}, "word"); len(got) != messages/3 {
			t.Errorf("%d messages in d%d", len(got), i)
		}
	}
	sound(t, s)
}

// A fault costs nothing but time.
func TestIndexFaults(t *testing.T) {
	for _, step := range []string{"find index", "make index", "index: make way", "index", "merge", "commit"} {
		s := openIndexedTemp(t)
		for i := range crowded * indexContents {
			deliver(t, s, fmt.Sprintf("Subject: word n%d\r\n", i), ann)
		}
		times := 0
		s.fault = func(now string) error {
			if now == step {
				if times++; times == 1 {
					return errFault
				}
			}
			return nil
		}
		if _, err := s.Index(t.Context()); !errors.Is(err, errFault) {
			t.Errorf("%s: %v", step, err)
		}
		index(t, s)
		if got := found(t, s, ann, "word"); len(got) != crowded*indexContents {
			t.Errorf("%s: %d are found", step, len(got))
		}
		sound(t, s)
	}
}

// Two that index, those that deliver and those that remove do not get into each other's way.
func TestIndexConcurrent(t *testing.T) {
	s := openIndexedTemp(t)
	other := openIndexed(t, s.template.Root())
	ctx, stop := context.WithCancel(t.Context())
	var indexing, all sync.WaitGroup
	for _, one := range []*Store{s, other} {
		indexing.Go(func() {
			for ctx.Err() == nil {
				if _, err := one.Index(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		for n := range 3 {
			all.Go(func() {
				m := store.Mailbox{Name: fmt.Sprintf("m%d@example.org", n)}
				for i := range 30 {
					deliver(t, one, fmt.Sprintf("Subject: word %d\r\n", i%20), m, bob)
					list, err := one.Messages(t.Context(), m, "")
					if err != nil {
						t.Error(err)
					}
					if i%3 == 0 && len(list) > 0 {
						if err := one.Remove(t.Context(), m, "", list[0].ID); err != nil && !errors.Is(err, store.ErrNoMessage) {
							t.Error(err)
						}
					}
				}
			})
		}
	}
	all.Wait()
	stop()
	indexing.Wait()
	index(t, s)
	for _, m := range []store.Mailbox{bob, {Name: "m0@example.org"}, {Name: "m1@example.org"}} {
		if got, want := len(found(t, other, m, "word")), len(texts(t, s, m, "")); got != want {
			t.Errorf("%s: %d are found of %d", m, got, want)
		}
	}
	sound(t, s)
}

// The index stays in so few parts that no transaction has to merge all of it, and removals do not change that.
func TestIndexMerges(t *testing.T) {
	s := openIndexedTemp(t)
	for round := range 40 {
		for i := range 4 {
			deliver(t, s, fmt.Sprintf("Subject: r%d n%d\r\n\r\nword", round, i), ann)
		}
		index(t, s)
		var most int
		if err := query(t, s, selectCrowd, nil, &most); err != nil || most >= crowded {
			t.Fatalf("round %d: %d segments, %v", round, most, err)
		}
	}
	list, err := s.Messages(t.Context(), ann, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list[:100] {
		if err := s.Remove(t.Context(), ann, "", one.ID); err != nil {
			t.Fatal(err)
		}
	}
	index(t, s)
	if got := found(t, s, ann, "word"); len(got) != 60 {
		t.Errorf("%d are found, want 60", len(got))
	}
	sound(t, s)
}

// An index that is removed takes its text along, can be made again, and what was cut off is gone on with.
func TestUnindex(t *testing.T) {
	s := openIndexedTemp(t)
	for i := range 50 {
		deliver(t, s, fmt.Sprintf("Subject: word n%d\r\n", i), ann)
	}
	for _, step := range []string{"drop index", "empty index", ""} {
		index(t, s)
		s.fault = func(now string) error {
			if now == step && rows(t, s, "sqlite_schema WHERE name = 'indexing'") == 0 {
				return errFault
			}
			return nil
		}
		if err := s.Unindex(t.Context()); (err != nil) != (step != "") {
			t.Errorf("%s: %v", step, err)
		}
		s.fault = nil
		if _, _, err := s.Search(t.Context(), ann, "word"); !errors.Is(err, store.ErrNoIndex) {
			t.Errorf("%s: %v", step, err)
		}
		deliver(t, s, "Subject: word "+step, ann)
		if err := s.Remove(t.Context(), ann, "", "1"); err != nil && step == "drop index" {
			t.Error(err)
		}
		sound(t, s)
	}
	if n := rows(t, s, "sqlite_schema WHERE name LIKE 'search%' OR name IN ('indexing', 'found')"); n != 0 {
		t.Errorf("%d tables are left", n)
	}
	index(t, s)
	if got := found(t, s, ann, "word"); len(got) != 52 {
		t.Errorf("%d are found", len(got))
	}
	if err := s.Unindex(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Unindex(t.Context()); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// Damage is found and put right.
func TestInspectIndex(t *testing.T) {
	for name, tt := range map[string]struct{ damage, want string }{
		"missing": {"DELETE FROM search WHERE docid = 2", "1 contents are missing in the index"},
		"orphan":  {"INSERT INTO search (docid, text) VALUES (99, 'word')", "the index has text of content 99, which is not there"},
		"words":   {"UPDATE search_content SET c3text = 'others' WHERE docid = 2", "malformed inverted index for FTS4 table main.search"},
		"torn":    {"DELETE FROM search_segdir", "malformed inverted index for FTS4 table main.search"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openIndexedTemp(t)
			for i := range 3 {
				deliver(t, s, fmt.Sprintf("Subject: n%d\r\n\r\nword\r\n", i), ann)
			}
			index(t, s)
			sound(t, s)
			change(t, s, tt.damage)
			for _, repair := range []store.Repair{store.OnlyTell, store.PutRight} {
				var told []string
				for d, err := range s.Inspect(t.Context(), nil, repair) {
					told = append(told, d.What)
					if err != nil || d.PutRight != (repair == store.PutRight) {
						t.Errorf("%+v, %v", d, err)
					}
				}
				if !slices.Equal(told, []string{tt.want}) {
					t.Errorf("told %q, want %q", told, tt.want)
				}
			}
			sound(t, s)
			if got := found(t, s, ann, "word"); len(got) != 3 {
				t.Errorf("found %q", got)
			}
		})
	}
}

// Backup and vacuum take the index along.
func TestIndexUpkeep(t *testing.T) {
	s := openIndexedTemp(t)
	for i := range 200 {
		deliver(t, s, fmt.Sprintf("Subject: word n%d\r\n\r\n%s", i, strings.Repeat(fmt.Sprintf("t%d ", i), 1000)), ann)
	}
	index(t, s)
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	for i := range 190 {
		if err := s.Remove(t.Context(), ann, "", fmt.Sprint(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Vacuum(t.Context()); err != nil || n == 0 {
		t.Errorf("%d octets given back, %v", n, err)
	}
	for s, want := range map[*Store]int{s: 10, openIndexed(t, copied): 200} {
		if got := found(t, s, ann, "word"); len(got) != want {
			t.Errorf("%d are found, want %d", len(got), want)
		}
		sound(t, s)
	}
}

// A content that cannot be read, or whose text cannot be got at, keeps no other out.
func TestIndexTolerates(t *testing.T) {
	s := openIndexedTemp(t)
	for i := range 3 {
		deliver(t, s, fmt.Sprintf("Subject: word n%d\r\n\r\nx", i), ann)
	}
	change(t, s, "DELETE FROM chunk WHERE id = 2 << 16")
	if n := index(t, s); n != 3 {
		t.Errorf("%d contents", n)
	}
	if got := found(t, s, ann, "word"); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("found %q", got)
	}
}

// What nobody has written to is not opened again, and what somebody else has written to is.
func TestIndexIdle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.db")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var i idleness
	i.note(path, stampOf(path, info.ModTime()))
	if i.is(path, stampOf(path, info.ModTime())) {
		t.Error("taken for idle though the next write may have the same time")
	}
	later := info.ModTime().Add(2 * settling)
	i.note(path, stampOf(path, later))
	if !i.is(path, stampOf(path, later)) {
		t.Error("not taken for idle")
	}
	for _, name := range []string{path + "-wal", path} {
		if err := os.WriteFile(name, []byte("more"), 0o600); err != nil {
			t.Fatal(err)
		}
		if i.is(path, stampOf(path, later)) {
			t.Errorf("taken for idle after %s was written", name)
		}
		i.note(path, stampOf(path, later))
	}
}

// Databases of all earlier schemas can be indexed.
func TestIndexEarlier(t *testing.T) {
	for version := 1; version < len(kind().Steps); version++ {
		s := openIndexed(t, earlierFile(t, version))
		index(t, s)
		if got := found(t, s, ann, "grüße hello"); len(got) == 0 {
			t.Errorf("schema %d: nothing is found", version)
		}
		sound(t, s)
	}
}
