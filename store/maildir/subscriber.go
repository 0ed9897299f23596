package maildir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"lmtpd/store"
)

// Subscriptions lists the folders of the mailbox's subscriptions file. Lines that name no folder of ours are passed over:
// INBOX, other namespaces, what is no modified UTF-7.
func (s *Store) Subscriptions(ctx context.Context, mailbox store.Mailbox) (folders []string, err error) {
	err = s.onMailbox(ctx, mailbox, func(d *dir) error {
		text, err := d.readFile(subscriptionsFile, maxSubscriptions)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("subscriptions: %w", err)
		}
		for _, s := range readSubscriptions(text) {
			if s.ours {
				folders = append(folders, s.folder)
			}
		}
		slices.Sort(folders)
		folders = slices.Compact(folders)
		return nil
	})
	return folders, err
}

// SetSubscriptions replaces the folders on the list; what Subscriptions passes over stays.
func (s *Store) SetSubscriptions(ctx context.Context, mailbox store.Mailbox, folders []string) error {
	var lines []string
	for _, folder := range folders {
		name, err := folderDir(folder)
		if err != nil {
			return err
		}
		if name != "" {
			lines = append(lines, strings.ReplaceAll(name[1:], ".", "\t"))
		}
	}
	return classify(s.onMailbox(ctx, mailbox, func(d *dir) error {
		err := s.changeSubscriptions(d, func(old []byte) ([]byte, bool) { return replaceSubscriptions(old, lines) })
		if errors.Is(err, errLocked) {
			return fmt.Errorf("%w: %w", store.ErrBusy, err)
		}
		if err != nil {
			return err
		}
		return s.fs.syncDir(d.fd())
	}))
}

// A subscription is a line of a subscriptions file.
type subscription struct {
	line   string // as version 2 has it: the levels divided by tabs
	folder string
	ours   bool // a folder of this mailbox
}

// readSubscriptions reads a file of either version.
func readSubscriptions(text []byte) (all []subscription) {
	rest, v2 := bytes.CutPrefix(text, []byte("V\t2\n"))
	for line := range strings.Lines(string(rest)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			continue
		}
		s := subscription{line: line}
		switch {
		case !v2:
			s.line = strings.ReplaceAll(line, ".", "\t")
			fallthrough
		case !strings.Contains(line, "."): // which no level of a folder in a maildir has
			s.folder, s.ours = folderOf("." + strings.ReplaceAll(s.line, "\t", "."))
		}
		all = append(all, s)
	}
	return all
}

// replaceSubscriptions makes a file of lines, in front of which stand those of old that are not ours.
func replaceSubscriptions(old []byte, lines []string) (text []byte, changed bool) {
	slices.Sort(lines)
	lines = slices.Compact(lines)
	text = []byte(subscriptionsHead)
	for _, s := range readSubscriptions(old) {
		if !s.ours {
			text = append(text, s.line+"\n"...)
		}
	}
	for _, line := range lines {
		text = append(text, line+"\n"...)
	}
	return text, !bytes.Equal(text, old)
}
