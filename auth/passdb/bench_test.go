package passdb

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"lmtpd/auth/password"
)

// BenchmarkVerify has 16 clients a processor log in, with as many hashes computed at once.
func BenchmarkVerify(b *testing.B) {
	for _, scheme := range []string{"SHA512-CRYPT", "BLF-CRYPT", "ARGON2ID"} {
		stored, err := password.Hash(scheme, secret)
		if err != nil {
			b.Fatal(err)
		}
		for _, factor := range []int{1, 2, 8} {
			for name, remember := range map[string]time.Duration{"computed": -1, "remembered": 0} {
				b.Run(fmt.Sprintf("%s/%dx/%s", scheme, factor, name), func(b *testing.B) {
					all := accounts(map[string]string{"ann": stored})
					db, err := New(Config{Blocks: []Block{home(all, "example.org")}, Max: factor * runtime.GOMAXPROCS(0),
						Wait: time.Hour, Remember: remember, Now: time.Now})
					if err != nil {
						b.Fatal(err)
					}
					b.SetParallelism(16)
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							if _, err := db.Verify(b.Context(), "ann", secret); err != nil {
								b.Error(err)
							}
						}
					})
				})
			}
		}
	}
}

// BenchmarkKey makes keys: one that is derived, and one that is stored.
func BenchmarkKey(b *testing.B) {
	for name, stored := range map[string]string{"derived": "{PLAIN}secret", "stored": scram2} {
		all := accounts(map[string]string{"ann": stored})
		db, err := New(Config{Blocks: []Block{home(all, "example.org")}, Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		for _, who := range []string{"ann", "nobody"} {
			b.Run(name+"/"+who, func(b *testing.B) {
				for b.Loop() {
					if _, err := db.Key(b.Context(), who, "SCRAM-SHA-256"); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
