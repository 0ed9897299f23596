package dovecot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"lmtpd/auth"
)

// An exchange passes what a client says on to Dovecot, and what Dovecot says to the client.
type exchange struct {
	client    *Client
	mechanism string
	channel   auth.Channel
	request   *request // nil: Dovecot knows nothing of it yet
	asked     bool     // EXTERNAL: for the authorization identity
	name      string   // claimed
	named     bool     // it was there to be heard, and will not be again
	last      *answer  // the client has still to take note of what Dovecot has said with its decision
	over      error
}

// errOver says that an exchange has succeeded already.
var errOver = errors.New("the exchange is over")

func (e *exchange) Claimed() string { return e.name }

// Next passes a response on.
func (e *exchange) Next(ctx context.Context, response []byte) (challenge []byte, account string, err error) {
	if e.over != nil {
		return nil, "", e.over
	}
	challenge, account, err = e.next(ctx, response)
	switch {
	case err != nil:
		e.over = err
		return nil, "", err
	case account != "":
		e.over = errOver
	}
	return challenge, account, nil
}

func (e *exchange) next(ctx context.Context, response []byte) ([]byte, string, error) {
	if e.last != nil {
		return e.acknowledged(response)
	}
	if e.mechanism == "EXTERNAL" && e.request == nil && response == nil && !e.asked {
		e.asked = true // before Dovecot is: it is told the name together with the mechanism
		return nil, "", nil
	}
	e.claim(response)
	ctx, cancel := context.WithTimeout(ctx, e.client.cfg.Timeout)
	defer cancel()
	a, err := e.ask(ctx, response)
	if err != nil {
		return nil, "", err
	}
	return e.decide(a)
}

// ask passes a response on to Dovecot, the first one with all that Dovecot is to know.
func (e *exchange) ask(ctx context.Context, response []byte) (answer, error) {
	if e.request != nil {
		return e.request.respond(ctx, response)
	}
	conn, err := e.client.connection(ctx)
	if err != nil {
		return answer{}, err
	}
	if !conn.offers(e.mechanism) { // it would hang up
		return answer{}, fmt.Errorf("%s is not offered by Dovecot any more", e.mechanism)
	}
	if e.request, err = conn.request(); err != nil {
		return answer{}, err
	}
	return e.request.ask(ctx, e.authLine(e.request, response))
}

// decide makes of an answer what the client is to know. What Dovecot has for the client beside its decision goes before it as
// one more challenge, since AUTH has nothing of the kind (RFC 4954 §4).
func (e *exchange) decide(a answer) ([]byte, string, error) {
	if e.name == "" && auth.IsName(a.user) {
		e.name = a.user
	}
	if a.verb == verbContinue {
		return a.data, "", nil
	}
	account, err := a.verdict()
	if len(a.data) == 0 || a.verb == verbOK && err != nil {
		return nil, account, err
	}
	e.last = &a
	return a.data, "", nil
}

// acknowledged tells the decision to a client that has nothing more to say.
func (e *exchange) acknowledged(response []byte) ([]byte, string, error) {
	account, err := e.last.verdict()
	if err == nil && len(response) > 0 {
		return nil, "", failure("a response where there is nothing to say")
	}
	return nil, account, err
}

// Refused is why Dovecot has let nobody in, although the client has still to hear of it (auth.Parting).
func (e *exchange) Refused() error {
	if e.last == nil {
		return nil
	}
	_, err := e.last.verdict()
	return err
}

// verdict is the account that was let in, or why none was.
func (a answer) verdict() (string, error) {
	if a.verb == verbOK {
		return a.account()
	}
	return "", a.failure()
}

// claim takes the name from the first response that says something; what comes later may be a password. For EXTERNAL it is
// the one of those proven that is asked for, or else the first.
func (e *exchange) claim(response []byte) {
	if e.named || e.request == nil && len(response) == 0 && e.mechanism != "EXTERNAL" {
		return
	}
	e.named = true
	if e.mechanism == "EXTERNAL" {
		e.name = e.channel.Names[max(0, slices.Index(e.channel.Names, string(response)))]
		return
	}
	if name := claimed(e.mechanism, string(response)); auth.IsName(name) {
		e.name = name
	}
}
