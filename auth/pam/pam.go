// Package pam verifies the passwords of the host's users as pam.d(5) has it, for "system".
//
// It is in a program that was built with the tag pam, with cgo and the header of Linux-PAM at hand (Debian: libpam0g-dev);
// Built says whether. In one that was not, every password is one of which it could not be told: shadow(5) is not read here.
//
// The service is lmtpd, so /etc/pam.d/lmtpd says what is asked, and without such a file /etc/pam.d/other, which most often
// refuses everybody. A file for it:
//
//	auth     required  pam_succeed_if.so quiet uid >= 1000
//	auth     required  pam_unix.so
//	account  required  pam_unix.so
//
// The first line keeps out root and the users of services. pam_unix(8) verifies the passwords of others only for root, and for
// who may read /etc/shadow (Debian: the group shadow).
//
// A user logs in if both authentication and account management succeed, so neither with a password that has to be changed first
// nor where a module calls him something else. There are no sessions and no credentials, and a module that asks for anything
// but one password is told nothing. A user that is not there takes as long as the modules have it: pam_unix(8) takes as long as
// for a wrong password.
//
// Modules run in C and cannot be stopped. What takes longer than a patience is given up, and goes on in one of so many slots
// until it ends; when all hang, it could not be told.
package pam

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lmtpd/auth"
)

// ErrAbsent says that this program was built without PAM.
var ErrAbsent = errors.New("built without PAM (the tag pam), which the passwords of the host's users need")

// ErrBusy says that as many verifications as may be are under way or hang.
var ErrBusy = errors.New("as many passwords as may be are being verified with PAM")

// Defaults of Config.
const (
	defaultService  = "lmtpd"
	defaultMax      = 32
	defaultPatience = 30 * time.Second
)

// Config is what a Service needs.
type Config struct {
	Service  string        // "": lmtpd
	Dir      string        // where the files of services are; "": where the host has them
	Max      int           // verifications at once, those that hang included; 0: 32
	Patience time.Duration // with one of them, the wait for its turn included; 0: 30 s
}

// A Service verifies passwords. Its methods may be called from many goroutines.
type Service struct {
	service, dir string
	slots        chan struct{}
	patience     time.Duration

	// ask has the modules verify a password. It may take as long as they like.
	ask func(s *Service, user, password string) error
}

// New returns a Service.
func New(cfg Config) *Service {
	if cfg.Service == "" {
		cfg.Service = defaultService
	}
	if cfg.Max == 0 {
		cfg.Max = defaultMax
	}
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	return &Service{
		service:  cfg.Service,
		dir:      cfg.Dir,
		slots:    make(chan struct{}, cfg.Max),
		patience: cfg.Patience,
		ask:      ask,
	}
}

// Verify says whether that is the password of a user who may log in: nil. An error wraps auth.ErrCredentials, or says that it
// could not be told.
func (s *Service) Verify(ctx context.Context, user, password string) error {
	if !isUser(user) || password == "" || strings.IndexByte(password, 0) >= 0 {
		return fmt.Errorf("%w: no name or no password of a user", auth.ErrCredentials)
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	answered := make(chan error, 1)
	go func() {
		defer func() { <-s.slots }()
		answered <- s.ask(s, user, password)
	}()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return fmt.Errorf("PAM does not answer: %w", ctx.Err())
	}
}

// maxUser is LOGIN_NAME_MAX of Linux.
const maxUser = 255

// isUser says whether modules may be given a name. Some make paths of it, write it into lines of text or run programs with it,
// so what no user is called stays away from them.
func isUser(name string) bool {
	if name == "" || len(name) > maxUser || name[0] == '-' || strings.Trim(name, ".") == "" {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return false
		}
		return !strings.ContainsRune("_.-$", r)
	})
}
