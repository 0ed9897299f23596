package account

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"lmtpd/auth/account/textfile"
)

// A Mistake is one thing wrong with a file, and Mistakes is everything.
type (
	Mistake  = textfile.Mistake
	Mistakes = textfile.Mistakes
)

// FileConfig is what a File needs.
type FileConfig struct {
	Path string
	Now  func() time.Time
	Log  *slog.Logger
	find findID // nil: hostID
}

// A File is a Source that reads a passwd-file, and reads it again when it has changed.
//
// A lookup is for the name first and then, if that is an address, for its local-part: an account without a domain
// is at home in every domain. An account's name must be the whole of it, so a@b is never found as the local-part of
// "a@b"@example.org.
//
// As long as what is there is no accounts file, the accounts stay what they were (package textfile), and a name that is
// not among them is in doubt, for it may have come since: that is an error, which wraps ErrUnsure and
// textfile.ErrRefused, and not ErrNotFound. While a file is being written it is the same, with textfile.ErrChanging.
type File struct {
	path string
	text *textfile.File[*table]
}

// OpenFile reads a passwd-file. If something is wrong with it, the error is of type Mistakes. If the host could not tell
// whose a uid or gid in it is, it wraps ErrUntold.
func OpenFile(cfg FileConfig) (*File, error) {
	if cfg.find == nil {
		cfg.find = hostID
	}
	text, err := textfile.Open(textfile.Config[*table]{
		Path:  cfg.Path,
		Name:  "accounts",
		Parse: func(_ *textfile.Reading, text string) (*table, error) { return parseWith(cfg.find, cfg.Path, text) },
		Now:   cfg.Now,
		Log:   cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	return &File{path: cfg.Path, text: text}, nil
}

// Lookup returns the account of a name.
func (f *File) Lookup(ctx context.Context, name string) (Account, error) {
	if err := ctx.Err(); err != nil {
		return Account{}, fmt.Errorf("look up an account: %w", err)
	}
	t, doubt := f.text.Content(ctx)
	a, ok := t.lookup(name)
	switch {
	case ok:
		return a, nil
	case doubt != nil:
		return Account{}, fmt.Errorf("look up an account in %s: %w: %w", f.path, ErrUnsure, doubt)
	}
	return Account{}, ErrNotFound
}
