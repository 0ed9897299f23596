package spool

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// Config is what a Spool needs. All fields are needed that do not name a default.
type Config struct {
	Path      string // of the database, which is made if it is not there
	Transport Transport
	Report    func(dsn.Report) (Mail, error) // writes a notification: with the null reverse-path, to the From of the report alone

	Hostname   string        // in notifications
	Postmaster smtp.Path     // who has what bounces and has the null reverse-path; zero: nobody
	Life       time.Duration // of a recipient, at whose end it is returned; 0: 5 days
	DelayAfter time.Duration // when the sender is told that it takes long; 0: 4 hours; negative: never
	Grace      time.Duration // for attempts under way when Run ends; 0: 30 s

	Retries     []time.Duration // pauses after the first attempts; they go on doubling; nil: 5, 15 and 30 minutes
	LongestRest time.Duration   // which no pause exceeds; 0: 4 hours
	Concurrency int             // attempts at once for one destination; 0: 20
	Memory      int64           // octets of contents kept from Put to the first attempt; 0: 32 MiB

	Space *store.Space // what to keep free on the disk; nil: nothing
	Now   func() time.Time
	NewID func() string
	Log   *slog.Logger
}

var (
	defaultRetries = [...]time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute}
	errIncomplete  = errors.New("spool: Path, Transport, Report, Now, NewID and Log are needed")
)

// complete puts the defaults in.
func (c Config) complete() (Config, error) {
	if c.Path == "" || c.Transport == nil || c.Report == nil || c.Now == nil || c.NewID == nil || c.Log == nil {
		return c, errIncomplete
	}
	c.Life = cmp.Or(c.Life, 5*24*time.Hour)
	c.DelayAfter = cmp.Or(c.DelayAfter, 4*time.Hour)
	c.Grace = cmp.Or(c.Grace, 30*time.Second)
	c.LongestRest = cmp.Or(c.LongestRest, 4*time.Hour)
	c.Concurrency = cmp.Or(c.Concurrency, 20)
	c.Memory = cmp.Or(c.Memory, 32<<20)
	if len(c.Retries) == 0 {
		c.Retries = defaultRetries[:]
	}
	c.Retries = slices.Clone(c.Retries)
	if c.Space == nil {
		c.Space = store.NewSpace(store.Floor{}, c.Now)
	}
	return c, nil
}
