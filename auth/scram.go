package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"strconv"
	"strings"
)

// errKey says that what is kept for SCRAM cannot be used.
var errKey = errors.New("malformed key for SCRAM")

// scramServer is SCRAM (RFC 5802, RFC 7677). Its key may be a decoy, with which the exchange goes on to its end and fails, so
// that nobody learns who has an account.
type scramServer struct {
	server  *Server
	hash    func() hash.Hash
	scheme  string // of the key: the mechanism without -PLUS
	channel Channel
	plus    bool // channel binding is asked for by the mechanism's name
	offered bool // the same mechanism with channel binding was offered beside it

	step        func(ctx context.Context, response []byte) ([]byte, string, error)
	first       scramFirst
	key         Key
	nonce       string
	serverFirst string // server-first-message
}

func (s *Server) beginSCRAM(mechanism string, ch Channel) Exchange {
	scheme, plus := strings.CutSuffix(mechanism, "-PLUS")
	e := &scramServer{server: s, hash: sha256.New, scheme: scheme, channel: ch, plus: plus}
	if scheme == "SCRAM-SHA-1" {
		e.hash = sha1.New
	}
	for _, m := range s.Mechanisms(ch) {
		e.offered = e.offered || m == scheme+"-PLUS"
	}
	e.step = e.ask
	return e
}

func (e *scramServer) Claimed() string { return e.first.name }

func (e *scramServer) Next(ctx context.Context, response []byte) ([]byte, string, error) {
	return e.step(ctx, response)
}

// ask asks for the client's first message, if that was not the initial response.
func (e *scramServer) ask(ctx context.Context, response []byte) ([]byte, string, error) {
	e.step = e.begin
	if response == nil {
		return nil, "", nil
	}
	return e.begin(ctx, response)
}

// begin answers the client's first message.
func (e *scramServer) begin(ctx context.Context, response []byte) ([]byte, string, error) {
	first, ok := parseSCRAMFirst(string(response))
	if !ok {
		return nil, "", failure("malformed first message")
	}
	e.first = first
	if err := e.checkBinding(); err != nil {
		return nil, "", err
	}
	key, err := e.server.cfg.Accounts.Key(ctx, first.name, e.scheme)
	if err != nil {
		return nil, "", err
	}
	if size := e.hash().Size(); len(key.Salt) == 0 || key.Rounds < 1 || len(key.Stored) != size || len(key.ServerKey) != size {
		return nil, "", errKey
	}
	e.key, e.nonce = key, first.nonce+e.server.cfg.Nonce()
	e.serverFirst = "r=" + e.nonce + ",s=" + base64.StdEncoding.EncodeToString(key.Salt) + ",i=" + strconv.Itoa(key.Rounds)
	e.step = e.prove
	return []byte(e.serverFirst), "", nil
}

// checkBinding refuses what may be the work of somebody in between (RFC 5802 §6): a client that could bind the channel and was
// made to believe that we cannot, and the reverse.
func (e *scramServer) checkBinding() error {
	switch flag := e.first.flag; {
	case flag == 'y' && e.offered:
		return failure("the client has not seen that channel binding is offered")
	case (flag == 'p') != e.plus:
		return failure("channel binding and mechanism do not go together")
	}
	return nil
}

// prove looks at the client's proof.
func (e *scramServer) prove(ctx context.Context, response []byte) ([]byte, string, error) {
	final, ok := parseSCRAMFinal(string(response))
	if !ok || final.nonce != e.nonce {
		return nil, "", failure("malformed final message")
	}
	binding, err := e.binding()
	if err != nil {
		return nil, "", err
	}
	if final.binding != binding {
		return nil, "", failure("another channel is bound")
	}
	message := []byte(e.first.bare + "," + e.serverFirst + "," + final.withoutProof)
	if !e.proves(final.proof, message) || e.key.Account == "" {
		return nil, "", failure("wrong password")
	}
	account := e.key.Account
	if e.first.as != e.first.name {
		if account, err = e.server.authorize(ctx, account, e.first.as); err != nil {
			return nil, "", err
		}
	}
	e.step = func(context.Context, []byte) ([]byte, string, error) { return nil, account, nil }
	signature := keyed(e.hash, e.key.ServerKey, message)
	return []byte("v=" + base64.StdEncoding.EncodeToString(signature)), "", nil // RFC 4954 §4: data with success
}

// binding is what "c=" has to be: the header of the first message, and the data of the channel if that has a flag for it.
func (e *scramServer) binding() (string, error) {
	data := e.first.header
	if e.plus {
		bound, err := e.channel.Binding(e.first.kind)
		if err != nil || len(bound) == 0 {
			return "", failure("no channel binding of that type")
		}
		data += string(bound)
	}
	return base64.StdEncoding.EncodeToString([]byte(data)), nil
}

// proves says whether a proof is made from the key that the stored one is the hash of (RFC 5802 §3).
func (e *scramServer) proves(proof, message []byte) bool {
	signature := keyed(e.hash, e.key.Stored, message)
	if len(proof) != len(signature) {
		return false
	}
	for i := range signature {
		signature[i] ^= proof[i]
	}
	h := e.hash()
	h.Write(signature)
	return hmac.Equal(h.Sum(nil), e.key.Stored)
}

func keyed(newHash func() hash.Hash, key, message []byte) []byte {
	mac := hmac.New(newHash, key)
	mac.Write(message)
	return mac.Sum(nil)
}
