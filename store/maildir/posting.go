package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// A posting enters a change of a mailbox into its maildirsize. From its beginning to its end nobody here counts the mailbox
// anew, so that the message is in the sum or has a line after it, and not both. The zero posting enters nothing.
type posting struct {
	store    *Store
	mailbox  string
	dir      *dir
	counter  *counter
	giveBack func()
	file     int   // the maildirsize, open since before the change; -1 if it could not be
	cause    error // why not
}

// posting begins one, if the folder counts. d is the mailbox's directory, or nil if it has to be found. The only error is
// that ctx has ended; a mailbox that cannot be counted takes mail all the same.
func (s *Store) posting(ctx context.Context, mailbox store.Mailbox, folder string, d *dir) (p posting, err error) {
	if !mailbox.Quota.Limited() || folder != "" && mailbox.Quota.Ignores(folder) {
		return p, nil
	}
	p = posting{store: s, mailbox: mailbox.Name, dir: d, giveBack: func() {}, file: -1}
	if d == nil {
		if p.dir, p.giveBack, err = s.lend(mailbox); err != nil {
			return s.noPosting(mailbox, err), nil
		}
	}
	if p.counter, err = s.counts.lend(p.dir); err != nil {
		p.giveBack()
		return s.noPosting(mailbox, err), nil
	}
	if err := p.counter.gate.Acquire(ctx, 1); err != nil {
		s.counts.release(p.counter)
		p.giveBack()
		return posting{}, err
	}
	p.file, _, p.cause = s.openCount(p.dir)
	return p, nil
}

func (s *Store) noPosting(mailbox store.Mailbox, err error) posting {
	if !errors.Is(err, fs.ErrNotExist) { // where there is no mailbox, nothing comes or goes
		s.log.Warn("not counted", "mailbox", mailbox.Name, "cause", err)
	}
	return posting{}
}

func (p posting) end() {
	if p.store == nil {
		return
	}
	if p.file >= 0 {
		_ = unix.Close(p.file)
	}
	p.counter.gate.Release(1)
	p.store.counts.release(p.counter)
	p.giveBack()
}

// add enters what has come, or gone. If that does not work, the mailbox is counted anew when somebody asks: the message
// itself is safe.
func (p posting) add(u store.Usage) {
	if p.store == nil {
		return
	}
	err := p.append(u)
	if err == nil {
		return
	}
	if !passable(err) { // nobody had counted yet
		p.store.log.Warn("to be counted anew", "mailbox", p.mailbox, "cause", err)
	}
	p.store.forgetCount(p.dir) // somebody may have made one meanwhile
}

// append appends a line in one write, as all do who keep the file. If another program has put a new one in its place since
// before the change, nobody knows whether that has the message.
func (p posting) append(u store.Usage) error {
	if p.cause != nil {
		return p.cause
	}
	line := []byte(sumLine(u))
	n := 0
	err := again(func() (err error) { n, err = p.store.fs.write(p.file, line); return err })
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(p.file, &st)
	}
	if err == nil && st.Nlink == 0 {
		err = fmt.Errorf("%w: replaced meanwhile", errUncounted)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", countFile, err)
	}
	return nil
}
