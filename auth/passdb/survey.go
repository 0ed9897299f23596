package passdb

import (
	"fmt"

	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// A Survey finds out which mechanisms that prove a password can be offered: to everybody the same, so those that every account
// that may log in can use. The zero value has seen no account.
type Survey struct {
	seen      bool
	obstacles map[string][]Obstacle // by mechanism, in the order they were met
}

// An Offer is a mechanism, and whether it can be offered. PLAIN and LOGIN always can; an account that has an obstacle
// nevertheless cannot log in at all.
type Offer struct {
	Mechanism string
	Can       bool
	Obstacles []Obstacle
}

// An Obstacle is what stands in the way of a mechanism.
type Obstacle struct {
	Account string // "" is a source that cannot be listed
	Why     string
}

// mechanisms are those that prove a password, the ones to be preferred first.
func mechanisms() []string {
	return []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
}

// Add takes notice of an account. One that nobody can log in with stands in nobody's way.
func (s *Survey) Add(a account.Account) {
	if a.Disabled.Login || password.Locked(a.Password) {
		return
	}
	scheme := password.Scheme(a.Password)
	if _, err := password.CostOf(a.Password); err != nil {
		s.obstruct(a.Name, fmt.Sprintf("cannot log in: %v", err), "PLAIN", "LOGIN")
		return
	}
	s.seen = true
	for _, mechanism := range mechanisms() {
		if !password.Permits(mechanism, scheme) {
			s.obstruct(a.Name, "has its password stored with "+scheme, mechanism)
		}
	}
}

// AddUnlisted takes notice of a source of accounts that cannot be listed, or whose passwords are elsewhere: what they have is
// not known.
func (s *Survey) AddUnlisted(source string) {
	s.seen = true
	for _, mechanism := range mechanisms() {
		if !isPlaintext(mechanism) {
			s.obstruct("", source+" does not tell how passwords are stored", mechanism)
		}
	}
}

func (s *Survey) obstruct(name, why string, mechanisms ...string) {
	if s.obstacles == nil {
		s.obstacles = map[string][]Obstacle{}
	}
	for _, mechanism := range mechanisms {
		s.obstacles[mechanism] = append(s.obstacles[mechanism], Obstacle{name, why})
	}
}

func isPlaintext(mechanism string) bool { return mechanism == "PLAIN" || mechanism == "LOGIN" }

// Offers says of every mechanism whether it can be offered. While nobody can log in, only those in plaintext can: what the
// first account will have is not known. A mechanism with -PLUS can be offered where the one without can.
func (s *Survey) Offers() []Offer {
	var offers []Offer
	for _, mechanism := range mechanisms() {
		against := s.obstacles[mechanism]
		can := isPlaintext(mechanism) || s.seen && len(against) == 0
		offers = append(offers, Offer{mechanism, can, against})
	}
	return offers
}

// Mechanisms lists those that can be offered, the ones to be preferred first.
func (s *Survey) Mechanisms() []string {
	var can []string
	for _, o := range s.Offers() {
		if o.Can {
			can = append(can, o.Mechanism)
		}
	}
	return can
}
