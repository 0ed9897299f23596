package dovecot

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"lmtpd/auth"
)

// The verbs of answers.
const (
	verbContinue = "CONT"
	verbOK       = "OK"
	verbFail     = "FAIL"
)

var errData = errors.New("an answer without base64")

// An answer is what the server says of a request.
type answer struct {
	verb string
	id   uint32
	data []byte // of CONT, and what others have for the client beside: nil if nothing

	user   string
	code   string // of FAIL: why
	reason string // of FAIL: for the client, but clients are not told

	nologin, proxy, anonymous bool // of OK
}

// parseAnswer reads an answer; known says whether it is one.
func parseAnswer(said command) (a answer, known bool, err error) {
	switch said.verb {
	case verbContinue, verbOK, verbFail:
	default:
		return answer{}, false, nil
	}
	a.verb = said.verb
	if a.id, err = parseID(said.parameter(0)); err != nil {
		return answer{}, false, err
	}
	if a.verb == verbContinue {
		if len(said.parameters) < 2 {
			return answer{}, false, errData
		}
		a.data, err = decode(said.parameters[1])
		return a, err == nil, err
	}
	for _, p := range said.parameters[1:] {
		if err := a.set(p); err != nil {
			return answer{}, false, err
		}
	}
	return a, true, nil
}

// set takes a parameter of OK or FAIL.
func (a *answer) set(parameter string) (err error) {
	switch key, value, _ := strings.Cut(parameter, "="); key {
	case "user":
		a.user = value
	case "reason":
		a.reason = value
	case "code":
		a.code = value
	case "temp": // Dovecot 2.2
		a.code = "temp_fail"
	case "nologin":
		a.nologin = true
	case "proxy":
		a.proxy = true
	case "anonymous":
		a.anonymous = true
	case "resp":
		if value != "" {
			a.data, err = decode(value)
		}
	}
	return err
}

func decode(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errData
	}
	return b, nil
}

// account is whom the server has let in, if it may be let in here.
func (a answer) account() (string, error) {
	switch {
	case a.anonymous:
		return "", failure("an anonymous login")
	case a.nologin:
		return "", failure("the account may not log in")
	case a.proxy:
		return "", errors.New("the account is on another host (proxy), which may be what looks at its password")
	case !auth.IsName(a.user):
		return "", fmt.Errorf("somebody was let in without a proper name: %.100q", a.user)
	}
	return a.user, nil
}

// failure is why the server has let nobody in, with its reason for the log.
func (a answer) failure() error {
	reason := ""
	if a.reason != "" {
		reason = fmt.Sprintf(": %.200q", a.reason)
	}
	switch a.code {
	case "temp_fail":
		return errors.New("a temporary failure of Dovecot's" + reason)
	case "authz_fail":
		return failure("it may not act as another" + reason)
	case "user_disabled":
		return failure("the account is disabled" + reason)
	case "pass_expired":
		return failure("the password has expired" + reason)
	}
	return failure("refused by Dovecot" + reason)
}
