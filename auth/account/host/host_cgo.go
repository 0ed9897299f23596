//go:build cgo && linux

package host

/*
#include <sys/types.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

struct answer {
	int error; // an errno
	int found;
	unsigned int uid, gid;
	const char *name, *home; // in the buffer
};

static struct answer find_user(const char *name, char *buffer, size_t size) {
	struct answer a = {0};
	struct passwd user, *found = NULL;
	a.error = getpwnam_r(name, &user, buffer, size, &found);
	if (a.error == 0 && found != NULL) {
		a.found = 1;
		a.uid = user.pw_uid;
		a.gid = user.pw_gid;
		a.name = user.pw_name;
		a.home = user.pw_dir;
	}
	return a;
}

static struct answer find_group(const char *name, char *buffer, size_t size) {
	struct answer a = {0};
	struct group group, *found = NULL;
	a.error = getgrnam_r(name, &group, buffer, size, &found);
	if (a.error == 0 && found != NULL) {
		a.found = 1;
		a.gid = group.gr_gid;
	}
	return a;
}
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// The octets that an entry has room for. That of a group lists all its members.
const (
	firstRoom = 4 << 10
	maxRoom   = 16 << 20
)

func findUser(name string) (User, error) {
	var u User
	err := ask(name, func(name, buffer *C.char, size C.size_t) C.struct_answer {
		a := C.find_user(name, buffer, size)
		if a.found != 0 { // the buffer is gone afterwards
			u = User{Name: C.GoString(a.name), UID: int(a.uid), GID: int(a.gid), Home: C.GoString(a.home)}
		}
		return a
	})
	return u, err
}

func findGroup(name string) (gid int, err error) {
	err = ask(name, func(name, buffer *C.char, size C.size_t) C.struct_answer {
		a := C.find_group(name, buffer, size)
		gid = int(a.gid)
		return a
	})
	return gid, err
}

// ask asks with more and more room, as ERANGE demands.
func ask(name string, find func(name, buffer *C.char, size C.size_t) C.struct_answer) error {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	for room := C.size_t(firstRoom); ; room *= 4 {
		buffer := C.malloc(room) // never nil
		a := find(c, (*C.char)(buffer), room)
		C.free(buffer)
		switch errno := syscall.Errno(a.error); {
		case errno == syscall.ERANGE && room < maxRoom:
		case errno != 0:
			return errno
		case a.found == 0:
			return ErrUnknown
		default:
			return nil
		}
	}
}
