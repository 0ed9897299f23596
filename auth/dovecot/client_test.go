package dovecot

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"testing"

	"lmtpd/auth"
)

// A client's side of an exchange: the response to a challenge, of which the first is nil.
type client func(challenge []byte) []byte

// login takes an exchange to its end. The client speaks first where its mechanism has it so.
func login(t *testing.T, e auth.Exchange, c client) (string, error) {
	t.Helper()
	response := c(nil)
	for range 10 {
		challenge, account, err := e.Next(t.Context(), response)
		if err != nil || account != "" {
			return account, err
		}
		if response = c(challenge); response == nil {
			response = []byte{}
		}
	}
	t.Fatal("the exchange does not end")
	return "", nil
}

// said is a client that says things in turn.
func said(responses ...string) client {
	return func([]byte) []byte {
		if len(responses) == 0 {
			return nil
		}
		r := responses[0]
		responses = responses[1:]
		return []byte(r)
	}
}

// speaker is a client of a mechanism.
func speaker(t *testing.T, mechanism, name, password string) client {
	switch mechanism {
	case "PLAIN":
		return said("\x00" + name + "\x00" + password)
	case "LOGIN":
		return said(name, password)
	case "CRAM-MD5":
		return cramClient(name, password)
	case "DIGEST-MD5":
		return digestClient(t, name, password)
	case "SCRAM-SHA-1":
		return scramClient(t, sha1.New, name, password)
	case "SCRAM-SHA-256":
		return scramClient(t, sha256.New, name, password)
	}
	t.Fatalf("no client of %s", mechanism)
	return nil
}

func cramClient(name, password string) client {
	return func(challenge []byte) []byte {
		if challenge == nil {
			return nil
		}
		mac := hmac.New(md5.New, []byte(password))
		mac.Write(challenge)
		return fmt.Appendf(nil, "%s %x", name, mac.Sum(nil))
	}
}

// scramClient is SCRAM (RFC 5802 §3) without channel binding. The server has to prove that it knows the password, too.
func scramClient(t *testing.T, hash func() hash.Hash, name, password string) client {
	const bare = "r=ours"
	first := "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name) + "," + bare
	mac := func(key []byte, s string) []byte { m := hmac.New(hash, key); m.Write([]byte(s)); return m.Sum(nil) }
	proof := ""
	return func(challenge []byte) []byte {
		switch {
		case challenge == nil:
			return []byte("n,," + first)
		case strings.HasPrefix(string(challenge), "v="):
			if string(challenge) != proof {
				t.Errorf("%s: the server's %q, not %q", name, challenge, proof)
			}
			return nil
		}
		var nonce, salt64 string
		var rounds int
		if n, _ := fmt.Sscanf(strings.ReplaceAll(string(challenge), ",", " "), "r=%s s=%s i=%d", &nonce, &salt64, &rounds); n != 3 {
			t.Fatalf("%s: the server's %q", name, challenge)
		}
		salt, _ := base64.StdEncoding.DecodeString(salt64)
		salted, err := pbkdf2.Key(hash, password, salt, rounds, hash().Size())
		if err != nil {
			t.Fatal(err)
		}
		final := "c=biws,r=" + nonce
		signed := first + "," + string(challenge) + "," + final
		key, stored := mac(salted, "Client Key"), hash()
		stored.Write(key)
		subtle.XORBytes(key, key, mac(stored.Sum(nil), signed))
		proof = "v=" + base64.StdEncoding.EncodeToString(mac(mac(salted, "Server Key"), signed))
		return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(key))
	}
}

// digestClient is DIGEST-MD5 (RFC 2831) without a realm.
func digestClient(t *testing.T, name, password string) client {
	return func(challenge []byte) []byte {
		if challenge == nil || strings.HasPrefix(string(challenge), "rspauth=") {
			return nil
		}
		_, rest, found := strings.Cut(string(challenge), `nonce="`)
		nonce, _, _ := strings.Cut(rest, `"`)
		if !found {
			t.Fatalf("the challenge %q", challenge)
		}
		hash := func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }
		secret := md5.Sum([]byte(name + "::" + password))
		h1 := hash(string(secret[:]) + ":" + nonce + ":ours")
		h2 := hash("AUTHENTICATE:smtp/localhost")
		return fmt.Appendf(nil, `username="%s",nonce="%s",cnonce="ours",nc=00000001,qop=auth,digest-uri="smtp/localhost",`+
			`response=%s,charset=utf-8`, name, nonce, hash(h1+":"+nonce+":00000001:ours:auth:"+h2))
	}
}
