package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// Bounds on what a server may ask for. The lower is that of RFC 7677 §4: with less, the proof is the easier to guess a password
// from. The upper is about a second of work, which a server could otherwise have us do for ever.
const (
	minRounds = 4096
	maxRounds = 2_000_000
)

// A scramClient is SCRAM (RFC 5802, RFC 7677). Its server proves that it knows the password too.
type scramClient struct {
	hash     func() hash.Hash
	password string
	header   string // gs2-header
	bound    []byte // the channel's binding data
	name     string
	nonce    string

	step    func(challenge string) ([]byte, error)
	want    []byte // the server's signature
	proven  bool
	refused error
}

func newSCRAMClient(mechanism string, c Credentials, ch Channel) (Client, error) {
	s := &scramClient{hash: sha256.New, password: c.Password, name: c.Name, nonce: newNonce()}
	scheme, plus := strings.CutSuffix(mechanism, "-PLUS")
	if scheme == "SCRAM-SHA-1" {
		s.hash = sha1.New
	}
	kind, data := bindingOf(ch)
	switch {
	case plus && kind == "":
		return nil, errors.New("the channel has no binding")
	case plus:
		s.header, s.bound = "p="+kind+",", data
	case kind != "" && !offersBinding(ch.Offered):
		s.header = "y," // if somebody has taken -PLUS from the list, the server finds out (RFC 5802 §6)
	default:
		s.header = "n,"
	}
	if c.As != "" {
		s.header += "a=" + escapeName(c.As)
	}
	s.header += ","
	s.step = s.prove
	return s, nil
}

// offersBinding says whether a server that offers these mechanisms is known to bind channels. Of one whose offers are not known it
// is not said that it does not.
func offersBinding(offered []string) bool {
	return len(offered) == 0 || slices.ContainsFunc(offered, func(m string) bool {
		m = strings.ToUpper(m)
		return strings.HasPrefix(m, "SCRAM-") && strings.HasSuffix(m, "-PLUS")
	})
}

func (s *scramClient) Start() ([]byte, error) { return []byte(s.header + s.bare()), nil }

// bare is client-first-message-bare.
func (s *scramClient) bare() string { return "n=" + escapeName(s.name) + ",r=" + s.nonce }

func (s *scramClient) Next(challenge []byte) ([]byte, error) { return s.step(string(challenge)) }

// prove answers the server's first message.
func (s *scramClient) prove(challenge string) ([]byte, error) {
	first, ok := parseSCRAMServerFirst(challenge)
	switch {
	case strings.HasPrefix(challenge, "e="):
		return s.verify(challenge)
	case !ok:
		return nil, errors.New("malformed first message of the server")
	case !strings.HasPrefix(first.nonce, s.nonce) || first.nonce == s.nonce:
		return nil, errors.New("the server's nonce does not go on from ours")
	case first.rounds < minRounds || first.rounds > maxRounds:
		return nil, fmt.Errorf("the server asks for %d rounds", first.rounds)
	}
	salted, err := pbkdf2.Key(s.hash, s.password, first.salt, first.rounds, s.hash().Size())
	if err != nil {
		return nil, fmt.Errorf("derive keys: %w", err)
	}
	cbind := base64.StdEncoding.EncodeToString(append([]byte(s.header), s.bound...))
	without := "c=" + cbind + ",r=" + first.nonce
	message := []byte(s.bare() + "," + challenge + "," + without)
	s.want = keyed(s.hash, keyed(s.hash, salted, []byte("Server Key")), message)
	s.step = s.verify
	return []byte(without + ",p=" + base64.StdEncoding.EncodeToString(s.proof(salted, message))), nil
}

// proof is the client's key under the signature that only a server which knows its hash can make too (RFC 5802 §3).
func (s *scramClient) proof(salted, message []byte) []byte {
	key := keyed(s.hash, salted, []byte("Client Key"))
	h := s.hash()
	h.Write(key)
	for i, b := range keyed(s.hash, h.Sum(nil), message) {
		key[i] ^= b
	}
	return key
}

// verify looks at the server's final message, which comes as a challenge that is answered with nothing (RFC 4954 §4).
func (s *scramClient) verify(challenge string) ([]byte, error) {
	signature, failed, ok := parseSCRAMServerFinal(challenge)
	switch {
	case ok && failed != "":
		s.refused = scramError(failed)
	case !ok:
		return nil, errors.New("malformed final message of the server")
	case !hmac.Equal(signature, s.want):
		return nil, errors.New("the server has not proven that it knows the password")
	default:
		s.proven = true
	}
	s.step = func(string) ([]byte, error) { return nil, errTooMany }
	return []byte{}, nil
}

// scramError is an error of the server's (RFC 5802 §7), if it is one that is known.
func scramError(said string) error {
	switch said {
	case "invalid-encoding", "extensions-not-supported", "invalid-proof", "channel-bindings-dont-match",
		"server-does-support-channel-binding", "channel-binding-not-supported", "unsupported-channel-binding-type",
		"unknown-user", "invalid-username-encoding", "no-resources":
		return errors.New("the server says " + said)
	}
	return errors.New("the server says that it has failed")
}

// Refused is the error that the server has sent.
func (s *scramClient) Refused() error { return s.refused }

func (s *scramClient) Finish() error {
	if !s.proven {
		return errors.New("the server has not proven that it knows the password")
	}
	return nil
}
