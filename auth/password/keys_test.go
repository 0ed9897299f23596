package password

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"maps"
	"slices"
	"strings"
	"testing"
)

// digestOf answers a challenge of CRAM-MD5 with nothing but a key.
func digestOf(t *testing.T, outer, inner []byte, challenge string) string {
	t.Helper()
	in, out := md5.New(), md5.New()
	for h, state := range map[hash.Hash][]byte{in: inner, out: outer} {
		if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
	}
	in.Write([]byte(challenge))
	out.Write(in.Sum(nil))
	return hex.EncodeToString(out.Sum(nil))
}

// The example of RFC 2195 §2, from the password as it is and from what is kept in its place.
func TestCRAMKey(t *testing.T) {
	const secret, challenge = "tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>"
	made, err := Hash("CRAM-MD5", secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, stored := range []string{"{PLAIN}" + secret, "{clear}" + secret, "{PLAIN.HEX}" + hex.EncodeToString([]byte(secret)),
		made, strings.Replace(made, "CRAM", "HMAC", 1)} {
		outer, inner, err := CRAMKey(stored)
		if err != nil {
			t.Errorf("%s: %v", stored, err)
			continue
		}
		if got := digestOf(t, outer, inner, challenge); got != "b913a602c7eda7a495b4e6e7334d3890" {
			t.Errorf("%s answers %s", stored, got)
		}
	}
}

// A password longer than a block of MD5 counts by its digest (RFC 2104 §2).
func TestCRAMKeyLong(t *testing.T) {
	outer, inner, err := CRAMKey("{PLAIN}" + long)
	if err != nil {
		t.Fatal(err)
	}
	want := hmac.New(md5.New, []byte(long))
	want.Write([]byte("challenge"))
	if got := digestOf(t, outer, inner, "challenge"); got != hex.EncodeToString(want.Sum(nil)) {
		t.Errorf("answers %s", got)
	}
}

// The examples of RFC 5802 §5 and RFC 7677 §3: the proof that the client sends, and what the server signs.
func TestDeriveSCRAM(t *testing.T) {
	for _, tt := range []struct{ mechanism, salt, nonces, proof, signature string }{
		{"SCRAM-SHA-1", "QSXCR+Q6sek8bf92", "fyko+d2lbbFgONRv9qkxdawL 3rfcNHYJY1ZVvWVs7j",
			"v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ="},
		{"SCRAM-SHA-256", "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO %hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	} {
		salt, _ := base64.StdEncoding.DecodeString(tt.salt)
		k, err := DeriveSCRAM(tt.mechanism, "pencil", salt, 4096)
		if err != nil {
			t.Fatal(err)
		}
		client, server, _ := strings.Cut(tt.nonces, " ")
		message := "n=user,r=" + client + ",r=" + client + server + ",s=" + tt.salt + ",i=4096,c=biws,r=" + client + server
		newHash, err := hashOf(tt.mechanism)
		if err != nil {
			t.Fatal(err)
		}
		proof, _ := base64.StdEncoding.DecodeString(tt.proof)
		for i, b := range keyed(newHash, k.Stored, message) {
			proof[i] ^= b
		}
		h := newHash()
		h.Write(proof)
		if !same(h.Sum(nil), k.Stored) {
			t.Errorf("%s: the client's proof does not fit", tt.mechanism)
		}
		if got := base64.StdEncoding.EncodeToString(keyed(newHash, k.Server, message)); got != tt.signature {
			t.Errorf("%s: the server signs %s", tt.mechanism, got)
		}
		stored := "{" + strings.ToLower(tt.mechanism) + "}" + k.text()
		if got, err := SCRAMKey(tt.mechanism, stored); err != nil || got.text() != k.text() {
			t.Errorf("%s: read as %s, %v", stored, got.text(), err)
		}
	}
	if _, err := DeriveSCRAM("SCRAM-SHA-512", "x", []byte("salt"), 4096); err == nil {
		t.Error("a mechanism that is not known has a key")
	}
}

func TestPlain(t *testing.T) {
	for stored, want := range map[string]string{
		"{PLAIN}secret":               "secret",
		"{cleartext}!x":               "!x",
		"{PLAIN.B64}c2VjcmV0IHDDpA==": secret,
	} {
		if got, err := Plain(stored); got != want || err != nil {
			t.Errorf("%s is %q, %v", stored, got, err)
		}
	}
	for _, stored := range []string{"", "secret", "{PLAIN}", "{PLAIN}a\x00b", "{SHA}x", "{PLAIN}" + strings.Repeat("x", 512)} {
		if got, err := Plain(stored); err != ErrNoKey {
			t.Errorf("%.10q is %q, %v", stored, got, err)
		}
	}
	if got, err := Plain("{PLAIN.HEX}x"); err == nil || errors.Is(err, ErrNoKey) {
		t.Errorf("malformed: %q, %v", got, err)
	}
}

// keyOf tells whether what is stored has a key for a mechanism.
func keyOf(mechanism, stored string) error {
	if mechanism == "CRAM-MD5" {
		_, _, err := CRAMKey(stored)
		return err
	}
	_, err := SCRAMKey(mechanism, stored)
	if plain, plainErr := Plain(stored); plainErr == nil {
		_, err = DeriveSCRAM(mechanism, plain, []byte("salt"), 1)
	}
	return err
}

// A scheme permits a mechanism if, and only if, what it stores has a key for it; and PLAIN if it can be verified.
func TestPermits(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range stored {
		scheme := Scheme(s)
		seen[scheme] = true
		for mechanism := range keys {
			err := keyOf(mechanism, s)
			if Permits(mechanism, scheme) != (err == nil) || err != nil && err != ErrNoKey {
				t.Errorf("%s with %s: %v, and the key %v", mechanism, scheme, Permits(mechanism, scheme), err)
			}
			if Permits(mechanism+"-PLUS", scheme) != Permits(mechanism, scheme) {
				t.Errorf("%s-PLUS with %s is something else", mechanism, scheme)
			}
		}
		if !Permits("PLAIN", scheme) || !Permits("LOGIN", scheme) {
			t.Errorf("PLAIN and LOGIN are not permitted with %s", scheme)
		}
	}
	if all := slices.Sorted(maps.Keys(schemes)); len(seen) != len(all) {
		t.Errorf("%d of %v tried", len(seen), all)
	}
	for _, scheme := range append(strange, "", Unknown) {
		for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"} {
			if Permits(mechanism, scheme) {
				t.Errorf("%s is permitted with %q", mechanism, scheme)
			}
		}
	}
	if Permits("DIGEST-MD5", "PLAIN") || Permits("", "PLAIN") {
		t.Error("mechanisms that are not known are permitted")
	}
}

// What is malformed is not the same as having no key.
func TestKeysCannot(t *testing.T) {
	for mechanism, s := range map[string]string{
		"CRAM-MD5":      "{CRAM-MD5}00",
		"SCRAM-SHA-1":   "{SCRAM-SHA-1}4096,c2FsdA==",
		"SCRAM-SHA-256": "{SCRAM-SHA-256.HEX}xyz",
	} {
		if err := keyOf(mechanism, s); err == nil || errors.Is(err, ErrNoKey) {
			t.Errorf("%s of %s: %v", mechanism, s, err)
		}
	}
	if _, err := SCRAMKey("SCRAM-SHA-512", "{PLAIN}x"); err == nil || errors.Is(err, ErrNoKey) {
		t.Errorf("a mechanism that is not known: %v", err)
	}
}
