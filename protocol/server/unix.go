package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// ErrSocketInUse says that somebody listens on a unix socket already.
var ErrSocketInUse = errors.New("another process listens on this socket")

// maxSocketPath is what sockaddr_un holds on every platform but the longest (unix(7): 108 with its NUL).
const maxSocketPath = 103

// SocketOwner says to whom a unix socket belongs and what they may do. A UID or GID of -1 is left as it is.
type SocketOwner struct {
	Mode fs.FileMode
	UID  int
	GID  int
}

// ListenUnix listens on a unix socket. A socket file that nobody listens on any more is replaced; one that
// somebody does is ErrSocketInUse, and anything else at path is an error. The socket has its mode and owner
// before it has its name. Close removes it, unless it was replaced meanwhile.
func ListenUnix(path string, owner SocketOwner) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("listen on %s: the path has more than %d octets", path, maxSocketPath)
	}
	if err := checkStale(path); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	// A name of its own beside path, then renamed: nobody connects before the mode is set.
	tmp := filepath.Join(filepath.Dir(path), ".l"+strconv.Itoa(os.Getpid()))
	os.Remove(tmp) // of a process that had this pid before
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: tmp, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	info, err := dress(tmp, path, owner)
	if err != nil {
		l.Close()
		os.Remove(tmp)
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return &unixListener{UnixListener: l, path: path, info: info}, nil
}

func dress(tmp, path string, owner SocketOwner) (fs.FileInfo, error) {
	if err := os.Chmod(tmp, owner.Mode); err != nil {
		return nil, err
	}
	if owner.UID != -1 || owner.GID != -1 {
		if err := os.Lchown(tmp, owner.UID, owner.GID); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(tmp, path); err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

// SocketLive says whether somebody listens on the unix socket at path.
func SocketLive(path string) bool {
	c, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func checkStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("there is something else than a socket")
	case SocketLive(path):
		return ErrSocketInUse
	}
	return nil
}

type unixListener struct {
	*net.UnixListener
	path string
	info fs.FileInfo
	once sync.Once
}

// Addr names the socket by the path that clients use.
func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *unixListener) Close() error {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.info) {
			os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}
