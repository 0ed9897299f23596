package host

import (
	"errors"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What os/user says of those who are there is what is found.
func TestLookup(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root", me.Username} {
		want, err := user.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		u, err := LookupUser(name)
		if err != nil || u.Name != name || strconv.Itoa(u.UID) != want.Uid || strconv.Itoa(u.GID) != want.Gid || u.Home != want.HomeDir {
			t.Errorf("%s is %+v, %v; want %+v", name, u, err, want)
		}
		if groups, err := u.Groups(); err != nil || !slices.Contains(groups, u.GID) {
			t.Errorf("%s has groups %v, %v", name, groups, err)
		}
		group, err := user.LookupGroupId(want.Gid)
		if err != nil {
			t.Fatal(err)
		}
		if gid, err := LookupGroup(group.Name); err != nil || gid != u.GID {
			t.Errorf("group %s is %d, %v; want %d", group.Name, gid, err, u.GID)
		}
	}
}

func TestUnknown(t *testing.T) {
	for _, name := range []string{"", "nobody-is-called-so", "root\x00", "root:x", "/", "\xff", strings.Repeat("x", 10_000)} {
		if u, err := LookupUser(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("user %.20q is %+v, %v", name, u, err)
		}
		if gid, err := LookupGroup(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("group %.20q is %d, %v", name, gid, err)
		}
	}
}
