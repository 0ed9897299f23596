package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"lmtpd/auth/account"
)

// many makes a database of n accounts.
func many(b testing.TB, n int) string {
	path := newAccounts(b)
	change(b, path, func(d *Draft) error {
		for i := range n {
			a := account.Account{
				Name: fmt.Sprintf("user%d@example.org", i), Password: "{SHA512-CRYPT}$6$saltsalt$" + strings.Repeat("x", 86),
				UID: 1000, GID: 1000, Home: "/var/mail/user", Quota: account.Quota{Octets: 1 << 30},
			}
			if err := d.Add(a); err != nil {
				return err
			}
		}
		return nil
	})
	return path
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		s := open(b, many(b, n))
		for _, bb := range []struct {
			name, address string
			want          error
		}{
			{"known", fmt.Sprintf("user%d@example.org", n-1), nil},
			{"unknown", "nobody@example.org", account.ErrNotFound},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, bb.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := s.Lookup(b.Context(), bb.address); !errors.Is(err, bb.want) {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("%d/parallel", n), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.Lookup(b.Context(), "user7@example.org")
				}
			})
		})
	}
}

func BenchmarkEdit(b *testing.B) {
	path := many(b, 10_000)
	for b.Loop() {
		change(b, path, func(d *Draft) error { return d.SetPassword("user7@example.org", "{PLAIN}x") })
	}
}

// What a lookup allocates does not grow with the number of accounts.
func TestLookupAllocates(t *testing.T) {
	var allocs [2]float64
	for i, n := range []int{10, 10_000} {
		s := open(t, many(t, n))
		allocs[i] = testing.AllocsPerRun(200, func() { s.Lookup(t.Context(), "user7@example.org") })
	}
	if allocs[1] > allocs[0]+2 {
		t.Errorf("a lookup allocates %v times among 10 and %v among 10,000", allocs[0], allocs[1])
	}
}
