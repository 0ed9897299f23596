package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
)

// A folderLine is one folder in a list. Whether it is subscribed to is null where the store does not know.
type folderLine struct {
	Folder     string `json:"folder"`
	Messages   int64  `json:"messages"`
	Octets     int64  `json:"octets"`
	Subscribed *bool  `json:"subscribed"`
}

// listFolders lists the folders of a mailbox, INBOX first.
func listFolders(c *cli.Context, m mailbox) error {
	folders, err := m.searched(c.Context)
	if err != nil {
		return err
	}
	subscribed, known, err := m.subscriptions(c.Context)
	if err != nil {
		return err
	}
	lines := []folderLine{}
	for _, folder := range folders {
		m.folder = folder
		line, err := m.describeFolder(c.Context)
		if err != nil {
			return err
		}
		if is := folder == "" || slices.Contains(subscribed, folder); known {
			line.Subscribed = &is
		}
		lines = append(lines, line)
	}
	return printList(c, lines, func(l folderLine) []any { return []any{l.Folder, l.Messages, l.Octets, subscribedWord(l)} })
}

func (m mailbox) subscriptions(ctx context.Context) (folders []string, known bool, err error) {
	s, known := m.store.(store.Subscriber)
	if !known {
		return nil, false, nil
	}
	if folders, err = s.Subscriptions(ctx, m.Mailbox); err != nil {
		return nil, true, trouble("subscriptions of "+m.Name, err)
	}
	return folders, true, nil
}

func (m mailbox) describeFolder(ctx context.Context) (folderLine, error) {
	list, err := m.messages(ctx)
	line := folderLine{Folder: folderName(m.folder), Messages: int64(len(list))}
	for _, one := range list {
		line.Octets += one.Size
	}
	return line, err
}

func subscribedWord(l folderLine) string {
	if l.Subscribed == nil || !*l.Subscribed {
		return "-"
	}
	return "subscribed"
}
