//go:build !cgo || !linux

package host

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

func findUser(name string) (User, error) {
	found, err := user.Lookup(name)
	if err != nil {
		if _, unknown := errors.AsType[user.UnknownUserError](err); unknown {
			return User{}, ErrUnknown
		}
		return User{}, without(name, err)
	}
	u := User{Name: found.Username, Home: found.HomeDir}
	if u.UID, err = strconv.Atoi(found.Uid); err != nil {
		return User{}, fmt.Errorf("uid: %w", err)
	}
	if u.GID, err = strconv.Atoi(found.Gid); err != nil {
		return User{}, fmt.Errorf("gid: %w", err)
	}
	return u, nil
}

func findGroup(name string) (gid int, err error) {
	found, err := user.LookupGroup(name)
	if err != nil {
		if _, unknown := errors.AsType[user.UnknownGroupError](err); unknown {
			return 0, ErrUnknown
		}
		return 0, without(name, err)
	}
	if gid, err = strconv.Atoi(found.Gid); err != nil {
		return 0, fmt.Errorf("gid: %w", err)
	}
	return gid, nil
}
