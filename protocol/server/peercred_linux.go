package server

import "golang.org/x/sys/unix"

// socketPeer asks for SO_PEERCRED (unix(7)).
func socketPeer(fd int) (uint32, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
