package auth

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
)

// A cramClient is CRAM-MD5 (RFC 2195 §2).
type cramClient struct {
	name, password string
	answered       bool
}

func newCRAMClient(_ string, c Credentials, _ Channel) (Client, error) {
	return &cramClient{name: c.Name, password: c.Password}, nil
}

func (c *cramClient) Start() ([]byte, error) { return nil, nil }

func (c *cramClient) Next(challenge []byte) ([]byte, error) {
	switch {
	case c.answered:
		return nil, errTooMany
	case len(challenge) == 0: // whose answer would be good for every time
		return nil, errors.New("empty challenge")
	}
	c.answered = true
	return []byte(c.name + " " + hex.EncodeToString(keyed(md5.New, []byte(c.password), challenge))), nil
}

func (c *cramClient) Finish() error {
	if !c.answered {
		return errTooEarly
	}
	return nil
}
