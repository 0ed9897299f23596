package smtptest

import (
	"context"
	"fmt"
	"io"
	"strings"

	"lmtpd/store"
)

// Stored returns what a store keeps in all folders, without trace fields.
func Stored(ctx context.Context, s store.Store) ([]Message, error) {
	var all []Message
	for name, err := range s.Mailboxes(ctx) {
		if err != nil {
			return nil, err
		}
		mailbox := store.Mailbox{Name: name}
		folders, err := s.Folders(ctx, mailbox)
		if err != nil {
			return nil, err
		}
		for _, folder := range append([]string{""}, folders...) {
			list, err := messages(ctx, s, mailbox, folder)
			if err != nil {
				return nil, err
			}
			all = append(all, list...)
		}
	}
	return all, nil
}

// messages returns those of one folder.
func messages(ctx context.Context, s store.Store, mailbox store.Mailbox, folder string) (all []Message, err error) {
	list, err := s.Messages(ctx, mailbox, folder)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		content, err := open(ctx, s, mailbox, m)
		if err != nil {
			return nil, err
		}
		all = append(all, Message{Mailbox: mailbox.Name, Folder: folder, Content: []byte(content)})
	}
	return all, nil
}

func open(ctx context.Context, s store.Store, mailbox store.Mailbox, m store.Message) (string, error) {
	r, err := s.Open(ctx, mailbox, m.Folder, m.ID)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	return cutTrace(string(b))
}

// cutTrace takes off the fields that the agent puts before content: the last of them is Received.
func cutTrace(s string) (string, error) {
	for at := 0; ; {
		n := strings.Index(s[at:], "\r\n")
		if n < 0 {
			return "", fmt.Errorf("no Received field before %.100q", s)
		}
		last := strings.HasPrefix(s[at:], "Received:")
		for at += n + 2; at < len(s) && (s[at] == '\t' || s[at] == ' '); {
			at += strings.Index(s[at:], "\r\n") + 2
		}
		if last {
			return s[at:], nil
		}
	}
}
