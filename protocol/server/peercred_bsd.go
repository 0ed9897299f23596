//go:build darwin || freebsd

package server

import "golang.org/x/sys/unix"

// socketPeer asks for LOCAL_PEERCRED (unix(4)).
func socketPeer(fd int) (uint32, error) {
	cred, err := unix.GetsockoptXucred(fd, 0, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
