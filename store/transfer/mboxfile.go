package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"lmtpd/store/mbox"
)

// Export writes what is in some folders of a mailbox ("" is INBOX) to an mbox. It goes on after the trouble of one message; an
// error says why it ended early.
func (j Job) Export(ctx context.Context, from Mailbox, folders []string, out *mbox.Writer) error {
	for _, folder := range folders {
		err := j.each(ctx, from, folder, func(l letter) (Outcome, error) {
			m := mbox.Message{Date: l.date, Folder: l.folder, Flags: l.flags}
			if err := out.Write(m, io.NewSectionReader(l.content, 0, l.content.Size())); err != nil {
				return Gone, fmt.Errorf("%w: %w", errSpool, err)
			}
			return Put, nil
		})
		if err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	return nil
}

// Import puts the messages of an mbox into a target. A message without a date of its own has got undated.
func (j Job) Import(ctx context.Context, in *mbox.Reader, undated time.Time, to *Target) error {
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := j.Spool.next(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, mbox.ErrFormat) {
			return err
		}
		if err != nil {
			return fmt.Errorf("message %d: %w", n, err)
		}
		j.Watch.Expect(1)
		if m.Date.IsZero() {
			m.Date = undated
		}
		outcome, err := to.put(ctx, letter{folder: m.Folder, date: m.Date, flags: m.Flags, content: j.Spool})
		switch {
		case err == nil:
			j.Watch.Done(outcome)
		case fatal(ctx, err):
			return fmt.Errorf("message %d: %w", n, err)
		default:
			j.Watch.Failed(fmt.Sprintf("message %d, for %s", n, folderName(to.place(m.Folder))), err)
		}
	}
}
