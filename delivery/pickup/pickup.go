package pickup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A Handler is who takes the messages, as it takes them from those who submit over the network: a session.Handler.
type Handler interface {
	Sender(ctx context.Context, env *smtp.Envelope) smtp.Reply
	Recipient(ctx context.Context, env *smtp.Envelope, to smtp.Recipient) smtp.Reply
	Deliver(ctx context.Context, env *smtp.Envelope, content io.Reader) []smtp.Reply
	Abandon(env *smtp.Envelope)
}

// Config is what a Pickup needs.
type Config struct {
	Dir   string // where the messages lie; users have to be able to get there
	Aside string // where goes what is no message, and what cannot be returned; the daemon's own, on the same file system

	Handler Handler
	// Return tells env.From that a message is refused for good: replies[i] is the last word on env.Recipients[i]. That is the
	// sender, or whose account it is where the sender's address is another's. A nil error says that he will hear of it, even
	// if the power fails now. Without Return it is set aside.
	Return func(ctx context.Context, env *smtp.Envelope, content store.Content, replies []smtp.Reply) error
	// Hostname is the domain of accounts that have none.
	Hostname string
	// Account is the account of a user of the host, "" for one who is not known. An error says that it could not be told.
	Account func(uid uint32) (string, error)

	MaxSize       int64         // octets of content; 0: no limit
	MaxRecipients int           // of a message; 0: no limit
	Every         time.Duration // how often the directory is looked at; 0: 5 s
	Life          time.Duration // for which what is deferred is tried again; 0: 5 days
	NewID         func() string // names transactions
	Now           func() time.Time
	Log           *slog.Logger
}

// The modes of the directories. Whoever may write into Dir may put a message there; the sticky bit keeps the others' safe, and
// the group that a file is given by the other one is the daemon's.
const (
	dirMode   = fs.ModeSetgid | fs.ModeSticky | 0o733
	asideMode = 0o700
)

const (
	defaultEvery = 5 * time.Second
	defaultLife  = 5 * 24 * time.Hour
	batch        = 256            // names in memory at a time
	stale        = 48 * time.Hour // the age of what sendmail has left unfinished
)

// A Pickup takes messages out of a directory.
type Pickup struct {
	cfg     Config
	dir     *os.File
	retries retries
}

// Open makes the directories where they are missing, and gives them their rights.
func Open(cfg Config) (*Pickup, error) {
	if cfg.Every <= 0 {
		cfg.Every = defaultEvery
	}
	if cfg.Life <= 0 {
		cfg.Life = defaultLife
	}
	for _, d := range []struct {
		path string
		mode fs.FileMode
	}{{cfg.Aside, asideMode}, {cfg.Dir, dirMode}} {
		if err := makeDir(d.path, d.mode); err != nil {
			return nil, err
		}
	}
	dir, err := os.Open(cfg.Dir)
	if err != nil {
		return nil, err
	}
	return &Pickup{cfg: cfg, dir: dir, retries: retries{}}, nil
}

// makeDir makes a directory and what is missing above it. The latter everybody may pass through, since messages of all
// users come that way.
func makeDir(path string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o711); err != nil {
		return err
	}
	if err := os.Mkdir(path, asideMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", path)
	case info.Mode()&^fs.ModeDir != mode:
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close gives back what Open has opened.
func (p *Pickup) Close() error { return p.dir.Close() }

// Run takes messages until ctx ends: what is there at once, and then what comes.
func (p *Pickup) Run(ctx context.Context) {
	tick := time.NewTicker(p.cfg.Every)
	defer tick.Stop()
	for {
		if err := p.Round(ctx); err != nil && ctx.Err() == nil {
			p.cfg.Log.ErrorContext(ctx, "cannot look for dropped messages", "directory", p.cfg.Dir, "cause", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Round goes through the directory once. It keeps few of the names in memory, however many there are.
func (p *Pickup) Round(ctx context.Context) error {
	if _, err := p.dir.Seek(0, io.SeekStart); err != nil {
		return err
	}
	p.retries.forget(p.cfg.Now(), p.cfg.Life)
	for {
		entries, err := p.dir.ReadDir(batch)
		for _, e := range entries {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p.visit(ctx, e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
