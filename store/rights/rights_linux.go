package rights

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// noID asks setfsuid and setfsgid what they are, and changes nothing.
const noID = -1

// A process is what rights for files every thread has of its own.
type process struct {
	uid, gid int
	groups   []uint32 // supplementary groups, sorted
	sets     capabilitySets
}

func readProcess() (p process, err error) {
	p.uid, p.gid = unix.Geteuid(), unix.Getegid()
	if p.groups, err = groups(); err != nil {
		return p, err
	}
	p.sets, err = capabilities()
	return p, err
}

// able says why nobody else's rights can be had.
func (p process) able() error {
	for _, c := range []int{unix.CAP_SETUID, unix.CAP_SETGID} {
		if p.sets[c/32].Effective&(1<<(c%32)) == 0 {
			return errors.New("that takes root, or CAP_SETUID and CAP_SETGID")
		}
	}
	return nil
}

// take gives the calling thread the rights of o and no others. The capabilities go last: the rest needs them.
func take(o *store.Owner) error {
	list := make([]uint32, 0, len(o.Groups))
	for _, g := range o.Groups {
		list = append(list, uint32(g))
	}
	if err := setIDs(o.UID, o.GID, list); err != nil {
		return err
	}
	sets, err := capabilities()
	if err != nil {
		return err
	}
	for i := range sets {
		sets[i].Effective = 0
	}
	return setCapabilities(sets)
}

// restore gives the calling thread the rights of the process. The capabilities come first, for the rest needs them, and
// again at the end: an fsuid of 0 brings some that the process may have without using them.
func (p process) restore() error {
	if err := setCapabilities(p.sets); err != nil {
		return err
	}
	if err := setIDs(p.uid, p.gid, p.groups); err != nil {
		return err
	}
	return setCapabilities(p.sets)
}

func setIDs(uid, gid int, list []uint32) error {
	if err := setGroups(list); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := setID("setfsgid", unix.SetfsgidRetGid, gid); err != nil {
		return err
	}
	return setID("setfsuid", unix.SetfsuidRetUid, uid)
}

func setID(name string, set func(int) (int, error), id int) error {
	if _, err := set(id); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if is, err := set(noID); err != nil || is != id {
		return fmt.Errorf("%s: it is %d, not %d: %w", name, is, id, errors.Join(err, unix.EPERM))
	}
	return nil
}

// setGroups sets the groups of the calling thread, where syscall.Setgroups would set those of all.
func setGroups(list []uint32) error {
	list = slices.Clone(list)
	slices.Sort(list) // as the kernel keeps them
	_, _, errno := unix.RawSyscall(sysSetgroups, uintptr(len(list)), uintptr(unsafe.Pointer(unsafe.SliceData(list))), 0)
	if errno != 0 {
		return errno
	}
	if is, err := groups(); err != nil || !slices.Equal(is, list) {
		return fmt.Errorf("they are %v, not %v: %w", is, list, errors.Join(err, unix.EPERM))
	}
	return nil
}

// groups tells the supplementary groups of the calling thread, sorted.
func groups() ([]uint32, error) {
	ints, err := unix.Getgroups()
	if err != nil {
		return nil, fmt.Errorf("getgroups: %w", err)
	}
	list := make([]uint32, 0, len(ints))
	for _, g := range ints {
		list = append(list, uint32(g))
	}
	slices.Sort(list)
	return list, nil
}

// capabilitySets are those of a thread: two words of 32 bits each.
type capabilitySets [2]unix.CapUserData

func capabilities() (sets capabilitySets, err error) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&head, &sets[0]); err != nil {
		return sets, fmt.Errorf("capget: %w", err)
	}
	return sets, nil
}

func setCapabilities(sets capabilitySets) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capset(&head, &sets[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	if is, err := capabilities(); err != nil || is != sets {
		return fmt.Errorf("capset: not as they were set: %w", errors.Join(err, unix.EPERM))
	}
	return nil
}
