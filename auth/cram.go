package auth

import (
	"context"
	"crypto/md5"
	"crypto/subtle"
	"encoding"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// cramServer is CRAM-MD5 (RFC 2195 §2): the client answers a challenge that was never there before with its name and the
// HMAC-MD5 of it. Of the password there need only be the states of MD5 after the pads.
type cramServer struct {
	server    *Server
	challenge string
	name      string
}

func (e *cramServer) Claimed() string { return e.name }

func (e *cramServer) Next(ctx context.Context, response []byte) ([]byte, string, error) {
	if e.challenge == "" {
		if response != nil { // there is nothing yet that it could answer
			return nil, "", failure("initial response")
		}
		cfg := e.server.cfg
		e.challenge = "<" + cfg.Nonce() + "." + strconv.FormatInt(cfg.Now().Unix(), 10) + "@" + cfg.Hostname + ">"
		return []byte(e.challenge), "", nil
	}
	i := strings.LastIndexByte(string(response), ' ')
	if i < 0 || !IsName(string(response[:i])) {
		return nil, "", failure("malformed response")
	}
	e.name = string(response[:i])
	digest, err := hex.DecodeString(string(response[i+1:]))
	if err != nil || len(digest) != md5.Size {
		return nil, "", failure("malformed digest")
	}
	key, err := e.server.cfg.Accounts.Key(ctx, e.name, "CRAM-MD5")
	if err != nil {
		return nil, "", err
	}
	want, err := cramDigest(key, e.challenge)
	if err != nil {
		return nil, "", err
	}
	if subtle.ConstantTimeCompare(want, digest) != 1 || key.Account == "" {
		return nil, "", failure("wrong password")
	}
	return nil, key.Account, nil
}

// cramDigest is HMAC-MD5, from the states after the pads (RFC 2104 §4).
func cramDigest(key Key, challenge string) ([]byte, error) {
	inner, err := restored(key.Inner)
	if err != nil {
		return nil, err
	}
	outer, err := restored(key.Outer)
	if err != nil {
		return nil, err
	}
	inner.Write([]byte(challenge))
	outer.Write(inner.Sum(nil))
	return outer.Sum(nil), nil
}

func restored(state []byte) (hash.Hash, error) {
	h := md5.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		return nil, fmt.Errorf("restore a state of MD5: %w", err)
	}
	return h, nil
}
