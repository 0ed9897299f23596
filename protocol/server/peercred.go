package server

import "net"

// peerUID returns the uid of the process at the other end of a unix socket.
func peerUID(c *net.UnixConn) (uid uint32, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { uid, failed = socketPeer(int(fd)) }); err != nil {
		return 0, err
	}
	return uid, failed
}
