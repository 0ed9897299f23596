package smtptest

import (
	"context"
	"errors"
	"time"

	"lmtpd/auth"
)

// Authenticator is an auth.Authenticator that stands for all others. It offers PLAIN and EXTERNAL where nobody
// can listen, and CRAM-MD5 everywhere. The password is "secret"; ask for the user "later" and it cannot tell,
// for "banned" and it is a minute until it will.
type Authenticator struct{}

// Mechanisms lists them.
func (Authenticator) Mechanisms(ch auth.Channel) []string {
	if ch.Secured {
		return []string{"PLAIN", "CRAM-MD5", "EXTERNAL"}
	}
	return []string{"CRAM-MD5"}
}

// Begin begins an exchange.
func (Authenticator) Begin(mechanism string, _ auth.Channel) auth.Exchange {
	return &exchange{mechanism: mechanism}
}

type exchange struct {
	mechanism string
	asked     int
}

var errUnavailable = errors.New("accounts are out of reach")

// Next takes a response.
func (e *exchange) Next(_ context.Context, response []byte) (challenge []byte, account string, err error) {
	if response == nil && e.asked == 0 {
		e.asked++
		return e.challenge(), "", nil
	}
	switch string(response) {
	case "": // only EXTERNAL has something to go by
		if e.mechanism == "EXTERNAL" {
			return nil, "ann", nil
		}
	case "more":
		return []byte("and then?"), "", nil
	case "crash":
		panic("crash")
	case "\x00banned\x00secret":
		return nil, "", auth.Banned{For: time.Minute}
	case "\x00later\x00secret":
		return nil, "", errUnavailable
	case "\x00ann\x00secret", "ann b913a602c7eda7a495b4e6e7334d3890":
		return nil, "ann", nil
	}
	return nil, "", auth.ErrCredentials
}

// Claimed is nobody: who it is for is all in the response.
func (e *exchange) Claimed() string { return "" }

func (e *exchange) challenge() []byte {
	if e.mechanism == "CRAM-MD5" {
		return []byte("<1896.697170952@postoffice.example.net>")
	}
	return nil
}
