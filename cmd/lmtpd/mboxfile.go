package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/store/mbox"
	"lmtpd/store/transfer"
)

// toMbox writes folders to a new file, which is there when it is whole, or to standard output.
func (m mailbox) toMbox(c *cli.Context, path string) error {
	if path == "-" {
		p, err := runTransfer(c, "export "+m.Name, func(ctx context.Context, job transfer.Job) error {
			return m.export(ctx, job, c.App.Writer)
		})
		return errors.Join(err, p.err()) // the sums would be in the mail
	}
	f, err := newWholeFile(path)
	if err != nil {
		return cli.Exit(err, exCantCreate)
	}
	defer f.discard()
	return moveMail(c, "export", m, func(ctx context.Context, job transfer.Job) error {
		if err := m.export(ctx, job, f); err != nil {
			return err
		}
		return f.keep()
	})
}

func (m mailbox) export(ctx context.Context, job transfer.Job, w io.Writer) error {
	folders, err := m.transferred(ctx)
	if err != nil {
		return err
	}
	return job.Export(ctx, m.transfer(), folders, mbox.NewWriter(w))
}

// fromMbox reads a file, or standard input.
func (m mailbox) fromMbox(c *cli.Context, path string, into *transfer.Target) error {
	in, undated := c.App.Reader, time.Now()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		fi, err := f.Stat()
		if err != nil {
			return err
		}
		in, undated = f, fi.ModTime()
	}
	return moveMail(c, "import", m, func(ctx context.Context, job transfer.Job) error {
		err := job.Import(ctx, mbox.NewReader(bufio.NewReader(in)), undated, into)
		if errors.Is(err, mbox.ErrFormat) {
			return cli.Exit(fmt.Errorf("%s: %w", path, err), exDataErr)
		}
		return err
	})
}

// A wholeFile gets its name when it is whole and on the disk.
type wholeFile struct {
	*os.File
	path string
}

// newWholeFile begins one. What has the name already is not replaced.
func newWholeFile(path string) (wholeFile, error) {
	if _, err := os.Lstat(path); err == nil {
		return wholeFile{}, fmt.Errorf("%s: %w; it is not replaced", path, fs.ErrExist)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	return wholeFile{f, path}, err
}

// keep gives the file its name.
func (f wholeFile) keep() error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", f.path, err)
	}
	if err := os.Link(f.Name(), f.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// discard takes the first name away.
func (f wholeFile) discard() {
	f.Close()
	_ = os.Remove(f.Name())
}
