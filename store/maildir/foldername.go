package maildir

import (
	"fmt"
	"strings"

	"github.com/emersion/go-maildir/maildirpp"

	"lmtpd/store"
)

// folderDir gives the directory of a folder in its maildir, "" for INBOX. This and folderOf are the only places where
// names become modified UTF-7. A dot divides levels in Maildir++ and so cannot be part of one.
func folderDir(folder string) (string, error) {
	levels, err := store.Levels(folder)
	if err != nil || levels == nil {
		return "", err
	}
	for i, l := range levels {
		levels[i] = encodeUTF7(l)
	}
	name, err := maildirpp.Join(levels)
	if err != nil {
		return "", fmt.Errorf("%w: %q: %w", store.ErrNoFolder, folder, err)
	}
	if len(name) > 255 {
		return "", fmt.Errorf("%w: %q is too long in modified UTF-7", store.ErrNoFolder, folder)
	}
	return name, nil
}

// folderOf gives the folder that a directory of a maildir is. Dovecot may write a name that is not modified UTF-7 when it
// is told to; such a directory is passed over.
func folderOf(dir string) (folder string, ok bool) {
	levels, err := maildirpp.Split(dir)
	if err != nil {
		return "", false
	}
	for i, l := range levels {
		if levels[i], err = decodeUTF7(l); err != nil {
			return "", false
		}
	}
	folder = strings.Join(levels, "/")
	back, err := folderDir(folder)
	return folder, err == nil && back == dir
}
