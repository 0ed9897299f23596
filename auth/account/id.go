package account

import (
	"errors"
	"os/user"
	"strconv"
	"strings"
)

var errID = errors.New("is impossible: it takes a number from 1 to 4294967294")

// ids turns the uids and gids of a file into numbers. It asks the host about each name once.
type ids struct {
	find  func(field, name string) (string, error)
	asked map[[2]string]answer
}

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
	digits, err := i.find(field, name)
	if err != nil {
		return answer{err: err}
	}
	id, err := checkID(digits)
	return answer{id, err}
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

// hostID asks the host for the number of a user ("uid") or group ("gid").
func hostID(field, name string) (string, error) {
	if field == "gid" {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", errors.New("is no group that this host knows")
		}
		return g.Gid, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return "", errors.New("is no user that this host knows")
	}
	return u.Uid, nil
}
