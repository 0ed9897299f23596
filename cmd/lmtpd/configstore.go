package main

import (
	"errors"
	"fmt"
	"strings"

	"lmtpd/store"
)

// A StoreURL says what keeps mail and where.
type StoreURL struct {
	Kind     string         // "maildir"
	Template store.Template // the path of each mailbox
}

func (u StoreURL) String() string { return u.Kind + ":" + u.Template.String() }

// parseStore reads a store's URL: "maildir:TEMPLATE".
func parseStore(s string) (StoreURL, error) {
	kind, path, ok := strings.Cut(s, ":")
	switch {
	case kind == "sqlite":
		return StoreURL{}, errors.New("the store sqlite is not offered by this version yet; only maildir is")
	case kind == "maildir" && ok:
		return maildirURL(path)
	case kind == "maildir":
		return StoreURL{}, errors.New("maildir needs a path, as in maildir:/var/mail/%d/%n")
	case strings.HasPrefix(s, "/"):
		return StoreURL{}, fmt.Errorf("%q names no kind of store; write maildir:%s", s, s)
	}
	return StoreURL{}, fmt.Errorf("unknown kind of store %q%s", kind, didYouMean("", kind, []string{"maildir", "sqlite"}))
}

func maildirURL(path string) (StoreURL, error) {
	if path == "" {
		return StoreURL{}, errors.New("maildir needs a path, as in maildir:/var/mail/%d/%n")
	}
	if _, err := parsePath(path); err != nil {
		return StoreURL{}, err
	}
	t, err := store.ParseTemplate(path)
	return StoreURL{"maildir", t}, err
}
