package account

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// users is a file of n accounts.
func users(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "user%d@example.org:{SHA512-CRYPT}$6$saltsalt$%086d:1000:1000::/var/mail/user%d::userdb_quota_rule=*:storage=1G\n", i, i, i)
	}
	return b.String()
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		path := filepath.Join(b.TempDir(), "users")
		if err := os.WriteFile(path, []byte(users(n)), 0o600); err != nil {
			b.Fatal(err)
		}
		f, err := OpenFile(FileConfig{Path: path, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		last := fmt.Sprintf("user%d@example.org", n-1)
		for _, bb := range []struct {
			name, address string
			want          error
		}{
			{"known", last, nil},
			{"known in capitals", strings.ToUpper(last), nil},
			{"unknown", "nobody@example.org", ErrNotFound},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, bb.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := f.Lookup(b.Context(), bb.address); err != bb.want {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("%d/parallel", n), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					f.Lookup(b.Context(), last)
				}
			})
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := users(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseTable("f", text); err != nil {
			b.Fatal(err)
		}
	}
}

// Lookups allocate nothing, so memory does not grow by them.
func TestLookupAllocates(t *testing.T) {
	b := open(t, users(1000))
	for _, name := range []string{"user7@example.org", "USER7@Example.Org", "nobody@example.org", "nobody"} {
		if n := testing.AllocsPerRun(100, func() { b.Lookup(t.Context(), name) }); n > 0 {
			t.Errorf("looking %s up allocates %v times", name, n)
		}
	}
}
