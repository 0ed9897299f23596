package passdb

import (
	"crypto/md5"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

func key(t *testing.T, db auth.Accounts, name, mechanism string) auth.Key {
	t.Helper()
	k, err := db.Key(t.Context(), name, mechanism)
	if err != nil {
		t.Errorf("key of %s for %s: %v", name, mechanism, err)
	}
	return k
}

// A password that is stored as it is has every key, and each scheme of a mechanism that of the mechanism.
func TestKey(t *testing.T) {
	cram, err := password.Hash("CRAM-MD5", secret)
	if err != nil {
		t.Fatal(err)
	}
	all := accounts(map[string]string{"plain": "{PLAIN}" + secret, "cram": cram, "sha1": scram1, "sha256": scram2, "hash": costly})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	has := map[string][]string{
		"CRAM-MD5":      {"plain", "cram"},
		"SCRAM-SHA-1":   {"plain", "sha1"},
		"SCRAM-SHA-256": {"plain", "sha256"},
	}
	for mechanism, owners := range has {
		want := map[string]string{}
		for _, name := range owners {
			want[name] = name + "@example.org"
		}
		for _, name := range []string{"plain", "cram", "sha1", "sha256", "hash", "nobody", "plain@elsewhere"} {
			if got := key(t, db, name, mechanism).Account; got != want[name] {
				t.Errorf("the key of %s for %s is %q's, want %q", name, mechanism, got, want[name])
			}
		}
	}
	if a, b := key(t, db, "plain", "CRAM-MD5"), key(t, db, "cram", "CRAM-MD5"); hex.EncodeToString(a.Outer) != hex.EncodeToString(b.Outer) ||
		hex.EncodeToString(a.Inner) != hex.EncodeToString(b.Inner) {
		t.Errorf("of one password, %v and %v", a, b)
	}
	for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
		k := key(t, db, "plain", mechanism)
		want, err := password.DeriveSCRAM(mechanism, secret, k.Salt, 4096)
		if err != nil || !reflect.DeepEqual(k, scramKey("plain@example.org", want)) || len(k.Salt) != 16 {
			t.Errorf("derived for %s: %v, %v", mechanism, k, err)
		}
	}
	if k := key(t, db, "sha256", "SCRAM-SHA-256"); k.Rounds != 5000 || len(k.Salt) != 18 || len(k.Stored) != 32 || len(k.ServerKey) != 32 {
		t.Errorf("stored: %v", k)
	}
	if _, err := db.Key(t.Context(), "plain", "DIGEST-MD5"); err == nil || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("a mechanism without keys: %v", err)
	}
}

// What a key is made up for is nobody's, and looks like what it stands for.
func TestDecoys(t *testing.T) {
	all := accounts(map[string]string{"ann": scram1, "bob": scram2, "locked": "!", "hash": costly})
	all.put(account.Account{Name: "barred", Password: scram1, Disabled: account.Disabled{Login: true}})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	for _, name := range []string{"nobody", "nobody@elsewhere", "", "a@b@c", "locked", "barred", "hash"} {
		for mechanism, like := range map[string]string{"SCRAM-SHA-1": "ann", "SCRAM-SHA-256": "bob", "CRAM-MD5": ""} {
			k := key(t, db, name, mechanism)
			if k.Account != "" || !reflect.DeepEqual(k, key(t, db, name, mechanism)) {
				t.Errorf("%s with %s: %v, and again %v", name, mechanism, k, key(t, db, name, mechanism))
			}
			if like == "" {
				checkStates(t, k)
				continue
			}
			real := key(t, db, like, mechanism)
			if k.Rounds != real.Rounds || len(k.Salt) != len(real.Salt) || len(k.Stored) != len(real.Stored) || len(k.ServerKey) != len(real.ServerKey) {
				t.Errorf("%s with %s: %v is not like %v", name, mechanism, k, real)
			}
			if string(k.Stored) == string(real.Stored) || string(k.Salt) == string(real.Salt) {
				t.Errorf("%s with %s is the same as %s", name, mechanism, like)
			}
		}
	}
	if db.derived != 0 {
		t.Errorf("%d derived, where none is for accounts", db.derived)
	}
}

// checkStates wants what an MD5 takes as its state.
func checkStates(t *testing.T, k auth.Key) {
	t.Helper()
	for _, state := range [][]byte{k.Outer, k.Inner} {
		if err := md5.New().(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
			t.Errorf("%x: %v", state, err)
		}
	}
}

// What is made up depends on the secret alone, so it is the same after a restart; of another secret, it is something else.
func TestDecoysLast(t *testing.T) {
	make := func(secret string) *fixture {
		all := accounts(map[string]string{"ann": "{PLAIN}secret", "bob": scram1})
		return newFixture(t, Config{Blocks: []Block{home(all, "example.org")}, Secret: []byte(secret)})
	}
	one, again, other := make("one secret"), make("one secret"), make("another secret")
	for _, name := range []string{"ann", "nobody", "Nobody@Example.org"} {
		for _, mechanism := range []string{"CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
			k := key(t, one, name, mechanism)
			if !reflect.DeepEqual(k, key(t, again, name, mechanism)) {
				t.Errorf("%s with %s is something else after a restart", name, mechanism)
			}
			if name != "ann" && reflect.DeepEqual(k, key(t, other, name, mechanism)) {
				t.Errorf("%s with %s is the same with another secret", name, mechanism)
			}
		}
	}
	if !reflect.DeepEqual(key(t, one, "nobody", "SCRAM-SHA-1"), key(t, one, "NOBODY@example.ORG", "SCRAM-SHA-1")) {
		t.Error("one name has two salts")
	}
}

// A key that is made up takes the work that one of the accounts takes.
func TestSameWorkOfKeys(t *testing.T) {
	all := accounts(map[string]string{"ann": "{PLAIN}secret"})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	for i, name := range []string{"ann", "nobody", "ann", "nobody", "x@elsewhere"} {
		key(t, db, name, "SCRAM-SHA-256")
		if db.derived != i+1 {
			t.Errorf("%s: %d derived after %d keys", name, db.derived, i+1)
		}
	}
}

// An account without a domain has the same salt in every domain, and so must some of those that are not there.
func TestDecoysOfDomains(t *testing.T) {
	same := func(db *fixture, name string) bool {
		return string(key(t, db, name+"@example.org", "SCRAM-SHA-1").Salt) == string(key(t, db, name+"@example.net", "SCRAM-SHA-1").Salt)
	}
	count := func(db *fixture) (alike int) {
		for i := range 100 {
			if same(db, fmt.Sprintf("nobody%d", i)) {
				alike++
			}
		}
		return alike
	}
	for _, tt := range []struct {
		stored      map[string]string
		least, most int
	}{
		{map[string]string{"ann": scram1}, 100, 100},
		{map[string]string{"ann@example.org": scram1, "ann@example.net": scram1[:len(scram1)-4] + "JZg="}, 0, 0},
		{map[string]string{"ann": scram1, "bob@example.org": scram1}, 20, 80},
		{map[string]string{}, 0, 0},
	} {
		db := newFixture(t, Config{Blocks: []Block{home(accounts(tt.stored), "example.org", "example.net")}})
		if n := count(db); n < tt.least || n > tt.most {
			t.Errorf("with %v, %d of 100 have one salt in two domains", tt.stored, n)
		}
	}
}

// What is learned is bounded: with many forms some are not known, and with a salt too long for it one is not.
func TestLearnBounded(t *testing.T) {
	d := newDecoys([]byte("secret"))
	for i := range 3 * maxLearned {
		d.learn(account.Account{Name: "ann", Password: fmt.Sprintf("{SCRAM-SHA-1}%d,c2FsdA==,%s", i+1, scram1[len(scram1)-57:])})
	}
	d.learn(account.Account{Name: "ann", Password: "{SCRAM-SHA-256}4096," + strings.Repeat("AAAA", 100) + scram2[len(scram2)-90:]})
	if n := len(d.forms["SCRAM-SHA-256"]); n != 0 {
		t.Errorf("a salt of 300 octets is known: %d", n)
	}
	if len(d.costs) != maxLearned || len(d.forms["SCRAM-SHA-1"]) != maxLearned {
		t.Errorf("%d costs and %d forms are known", len(d.costs), len(d.forms["SCRAM-SHA-1"]))
	}
}

// A key that is malformed, and one of a scheme that nobody knows, could not be told.
func TestKeyCannot(t *testing.T) {
	all := accounts(map[string]string{"ann": "{CRAM-MD5}00", "bob": "{SCRAM-SHA-1}4096,x", "cat": "{hunter2}x", "dan": "{PLAIN.HEX}x"})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	for name, mechanisms := range map[string][]string{
		"ann": {"CRAM-MD5"},
		"bob": {"SCRAM-SHA-1"},
		"cat": {"CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"},
		"dan": {"CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"},
	} {
		for _, mechanism := range mechanisms {
			_, err := db.Key(t.Context(), name, mechanism)
			untold(t, name+" with "+mechanism, err)
		}
	}
	if k := key(t, db, "bob", "SCRAM-SHA-256"); k.Account != "" {
		t.Errorf("bob has a key for another mechanism: %v", k)
	}
}
