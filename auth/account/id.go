package account

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"lmtpd/auth/account/host"
)

// ErrUntold says that the host could not tell whose a uid or gid is that is given by name. It may be able to later, so
// that is no mistake of the file, nor is it known to be without one.
var ErrUntold = errors.New("the host could not tell who that is")

var errID = errors.New("is impossible: it takes a number from 1 to 4294967294")

// ids turns the uids and gids of a file into numbers. It asks the host about each name once.
type ids struct {
	find  findID
	asked map[[2]string]answer
}

// findID finds the number of a user ("uid") or group ("gid"). An error that wraps ErrUntold says nothing about the name.
type findID func(field, name string) (int, error)

type answer struct {
	id  int
	err error
}

// number returns the uid or gid that text stands for; field ends in "uid" or "gid".
func (i *ids) number(field, text string) (int, error) {
	if strings.IndexByte("0123456789+-", text[0]) >= 0 {
		return checkID(text)
	}
	key := [2]string{field[len(field)-len("uid"):], text}
	known, ok := i.asked[key]
	if !ok {
		known = i.ask(key[0], text)
		if i.asked == nil {
			i.asked = make(map[[2]string]answer)
		}
		i.asked[key] = known
	}
	return known.id, known.err
}

func (i *ids) ask(field, name string) answer {
	id, err := i.find(field, name)
	if err == nil && !possibleID(id) {
		err = errID
	}
	if err != nil {
		return answer{err: err}
	}
	return answer{id: id}
}

// checkID refuses what can be nobody's: root's mail belongs to an account with rights of its own, and the largest
// number is what the kernel takes for "none".
func checkID(digits string) (int, error) {
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || !possibleID(int(n)) {
		return 0, errID
	}
	return int(n), nil
}

func possibleID(id int) bool { return 0 < id && int64(id) < 1<<32-1 }

// hostID is the findID of this host.
func hostID(field, name string) (id int, err error) {
	what := "user"
	if field == "gid" {
		what = "group"
		id, err = host.LookupGroup(name)
	} else {
		var u host.User
		u, err = host.LookupUser(name)
		id = u.UID
	}
	switch {
	case errors.Is(err, host.ErrUnknown):
		return 0, errors.New("is no " + what + " that this host knows")
	case err != nil:
		return 0, fmt.Errorf("%w: %w", ErrUntold, err)
	}
	return id, nil
}
