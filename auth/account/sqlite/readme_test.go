package sqlite

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The SQL that README.md shows makes a database that is taken, with the schema that is made here.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 2 || !strings.Contains(blocks[0][1], strings.TrimSpace(schema1)) {
		t.Fatalf("%d blocks of SQL, or not this schema:\n%s", len(blocks), schema1)
	}
	path := filepath.Join(t.TempDir(), "users.db")
	for _, b := range blocks {
		sqlExec(t, path, b[1])
	}
	finds(t, open(t, path), "ann@example.org", "ann@example.org")
	change(t, path, func(d *Draft) error { return d.Add(bare("bob")) })
}
