//go:build pam && cgo

package pam

import (
	"errors"
	"fmt"
	"slices"

	"github.com/msteinert/pam/v2"

	"lmtpd/auth"
)

// Built says whether this program was built with PAM.
const Built = true

// refusals are what modules say that is about the user or the password. Whatever else they say means that they could not tell.
var refusals = []error{
	pam.ErrAuth, pam.ErrUserUnknown, pam.ErrMaxtries, pam.ErrPermDenied, pam.ErrAcctExpired, pam.ErrNewAuthtokReqd,
	pam.ErrAuthtokExpired, pam.ErrCredExpired,
}

// errConversation is the answer to what cannot be answered.
var errConversation = errors.New("no answer to that")

// ask has the modules of the service verify a password.
func ask(s *Service, user, password string) (err error) {
	t, err := s.start(user, answers(password))
	if err != nil {
		return fmt.Errorf("begin with PAM: %w", err)
	}
	defer func() {
		if endErr := t.End(); err == nil && endErr != nil {
			err = fmt.Errorf("end with PAM: %w", endErr)
		}
	}()
	if err := t.Authenticate(pam.Silent | pam.DisallowNullAuthtok); err != nil {
		return outcome("authenticate", err)
	}
	if err := t.AcctMgmt(pam.Silent | pam.DisallowNullAuthtok); err != nil {
		return outcome("look after the account", err)
	}
	who, err := t.GetItem(pam.User)
	switch {
	case err != nil:
		return outcome("tell the user", err)
	case who != user:
		return fmt.Errorf("%w: PAM calls the user %q", auth.ErrCredentials, who)
	}
	return nil
}

func (s *Service) start(user string, h pam.ConversationHandler) (*pam.Transaction, error) {
	if s.dir != "" {
		return pam.StartConfDir(s.service, user, h, s.dir)
	}
	return pam.Start(s.service, user, h)
}

// answers gives the password to the first who asks for it, and nothing to anybody else.
func answers(password string) pam.ConversationFunc {
	given := false
	return func(style pam.Style, _ string) (string, error) {
		switch {
		case style == pam.ErrorMsg, style == pam.TextInfo:
			return "", nil
		case style == pam.PromptEchoOff && !given:
			given = true
			return password, nil
		}
		return "", errConversation
	}
}

// outcome parts what is a refusal from what could not be told.
func outcome(step string, err error) error {
	if slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) }) {
		return fmt.Errorf("%w: PAM (%s): %w", auth.ErrCredentials, step, err)
	}
	return fmt.Errorf("PAM (%s): %w", step, err)
}
