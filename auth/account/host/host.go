// Package host looks up the users and groups of the host: what getpwnam(3), getgrnam(3) and getgrouplist(3) say, and so
// the Name Service Switch, which is /etc/passwd, LDAP, SSSD or whatever nsswitch.conf(5) names.
//
// It tells "there is none" (ErrUnknown, a fact) from "it could not be told" (any other error). The C library says the first
// with no error and no user. Any error of its is the second, ENOENT too: that is what the GNU C library has when
// /etc/passwd is missing or a module's socket is, and never says of a user who is not there. Package os/user takes it for an
// answer, as older systems than POSIX.1-2008 meant it, and so is not asked on Linux.
//
// QUIRK: where several services are asked, the C library has the last one's word for it. If an earlier one fails and
// goes on to a later one, which knows of nobody, that is "there is none". Only nsswitch.conf(5) can say otherwise, with
// [UNAVAIL=return TRYAGAIN=return] behind the earlier one. A service that is named and whose module is not installed is
// passed over. getgrouplist(3) has no errors at all: of a service that fails, groups are missing.
//
// QUIRK: without cgo, and on other systems than Linux, os/user is asked; without cgo it reads only /etc/passwd and
// /etc/group.
//
// A lookup may take long, or never return, as a module may. No error has the name in it that was looked up.
package host

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"
)

// ErrUnknown says that there is no such user or group. Any other error says that it could not be told.
var ErrUnknown = errors.New("no such user or group on this host")

// A User is one of the host's.
type User struct {
	Name     string // as the host has it
	UID, GID int
	Home     string
}

// LookupUser returns the user of a name.
func LookupUser(name string) (User, error) {
	if !isName(name) {
		return User{}, ErrUnknown
	}
	return findUser(name)
}

// LookupGroup returns the number of a group.
func LookupGroup(name string) (gid int, err error) {
	if !isName(name) {
		return 0, ErrUnknown
	}
	return findGroup(name)
}

// isName says whether C can be asked.
func isName(name string) bool { return name != "" && strings.IndexByte(name, 0) < 0 }

// Groups returns the groups of a user, that of u.GID first.
func (u User) Groups() ([]int, error) {
	texts, err := (&user.User{Username: u.Name, Gid: strconv.Itoa(u.GID)}).GroupIds()
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", without(u.Name, err))
	}
	groups := make([]int, len(texts))
	for i, text := range texts {
		if groups[i], err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("list groups: %w", err)
		}
	}
	return groups, nil
}

// without is an error of os/user without the name that it tells.
func without(name string, err error) error {
	return errors.New(strings.ReplaceAll(err.Error(), " "+name, ""))
}
