package alias

import (
	"fmt"
	"strings"
	"testing"
)

// many is a file of n aliases, half of them addresses.
func many(n int) string {
	var b strings.Builder
	for i := range n / 2 {
		fmt.Fprintf(&b, "user%d: user%d, second%d@example.net\nname%d@a.example: user%d\n", i, i, i, i, i)
	}
	return b.String()
}

func BenchmarkExpand(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		ds := ours(b, many(n))
		for _, bb := range []struct{ name, address string }{
			{"unknown", "nobody@a.example"},
			{"unknown with a detail", "nobody+Lists@a.example"},
			{"known", fmt.Sprintf("user%d@a.example", n/2-1)},
			{"nested", fmt.Sprintf("name%d+Lists@a.example", n/2-1)},
		} {
			a := address(b, bb.address)
			b.Run(fmt.Sprintf("%d/%s", n, bb.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := ds.Expand(a); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := many(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := read(text, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	ds := ours(b, many(100_000))
	f, _ := ds("a.example")
	for b.Loop() {
		if bad := ds.Check(f.Aliases, []string{"a.example", "b.example"}); bad != nil {
			b.Fatal(bad)
		}
	}
}

// Most recipients have no alias, and asking about them costs no memory.
func TestExpandAllocates(t *testing.T) {
	ds := ours(t, many(1000))
	for _, s := range []string{"nobody@a.example", "nobody+lists@a.example", "nobody@far.example"} {
		a := address(t, s)
		if n := testing.AllocsPerRun(100, func() { ds.Expand(a) }); n > 0 {
			t.Errorf("expanding %s allocates %v times", s, n)
		}
	}
}
