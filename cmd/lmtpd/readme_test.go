package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The source map of README.md is the table that the imports are held against, as far as the packages exist.
func TestReadmeSourceMap(t *testing.T) {
	said := readSourceMap(t)
	for _, room := range slices.Sorted(maps.Keys(said)) {
		allowed, known := rooms()[room]
		if !known {
			t.Errorf("README.md has %s, which is no room", room)
		} else if !slices.Equal(said[room], allowed) {
			t.Errorf("README.md: %s may import %v, the test says %v", room, said[room], allowed)
		}
	}
	for _, s := range readModule(t) {
		if _, ok := said[s.room()]; !ok {
			t.Errorf("README.md does not tell of %s", s.room())
		}
	}
}

// readSourceMap returns what may be imported by which package, as the rows of README.md have it.
func readSourceMap(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| package | may import | is |\n|---|---|---|\n")
	if !found {
		t.Fatal("README.md has no source map")
	}
	said := map[string][]string{}
	for line := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			return said
		}
		said[strings.Trim(cells[1], " `")] = importsOf(cells[2])
	}
	return said
}

func importsOf(cell string) []string {
	switch cell = strings.TrimSpace(cell); cell {
	case "–":
		return []string{}
	case "any":
		return []string{"*"}
	}
	list := strings.Split(cell, ", ")
	for i := range list {
		list[i] = strings.Trim(list[i], "`")
	}
	return list
}

// Every dialogue is named in the table of clauses, and every one that is named is there.
func TestReadmeTranscripts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, name := range regexp.MustCompile(`\b(lmtp|esmtp|hostile)/[a-z0-9-]+`).FindAllString(string(text), -1) {
		named[name] = true
	}
	files, err := filepath.Glob(filepath.Join(moduleRoot, "testdata", "*", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".txt")
		if !named[name] {
			t.Errorf("README.md does not name %s", name)
		}
		delete(named, name)
	}
	for name := range named {
		t.Errorf("README.md names %s, which is not there", name)
	}
}

// The configurations that README.md shows are good, the second listener in the place of the first.
func TestReadmeConfigurations(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 4 {
		t.Fatalf("%d configurations, want at least 4", len(blocks))
	}
	first := strings.NewReplacer(`, "root"`, "", `"postfix"`, `"root"`).Replace(blocks[0][1]) // postfix may not be installed
	listener := regexp.MustCompile(`(?s)\[\[listen\]\].*?\n\n`)
	shown := map[string]string{"unix": first, "TCP": listener.ReplaceAllLiteralString(first, blocks[1][1]+"\n")}
	for i, b := range blocks[2:] {
		shown[fmt.Sprint("number ", i+3)] = b[1]
	}
	for name, conf := range shown {
		file := filepath.Join(t.TempDir(), "lmtpd.toml")
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := overrides{config: file}.load()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, conf)
		} else if len(cfg.Listen) == 0 || len(cfg.Mailboxes[0].Domains) == 0 {
			t.Errorf("%s: %+v", name, cfg)
		}
	}
}
