package server

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// What ProbeSocket finds.
var (
	ErrSocketInUse = errors.New("another process listens on this socket")
	ErrSocketStale = errors.New("nobody listens on this socket any more")
	ErrNotSocket   = errors.New("there is something else than a socket")
)

// MaxSocketPath is how long the path of a socket may be everywhere: Linux has room for 108 octets with the NUL
// (unix(7)), the BSDs for 104.
const MaxSocketPath = 103

// CheckSocketPath says whether ListenUnix can listen at path at all, as far as its name goes.
func CheckSocketPath(path string) error {
	if n := max(len(path), len(temporarySocket(path))); n > MaxSocketPath {
		return fmt.Errorf("the path of a unix socket has at most %d octets, and this one takes %d", MaxSocketPath, n)
	}
	if strings.HasPrefix(path, "@") {
		return errors.New("sockets without a file are not offered; a file of that name is written ./" + path)
	}
	return nil
}

// temporarySocket is a name of its own beside path, which is renamed to it: nobody connects before the mode is set.
func temporarySocket(path string) string {
	return filepath.Dir(path) + "/.l" + strconv.FormatUint(1<<32+rand.Uint64N(1<<32), 36)
}

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
	l, err := listenUnix(path, owner)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return l, nil
}

func listenUnix(path string, owner SocketOwner) (net.Listener, error) {
	if err := CheckSocketPath(path); err != nil {
		return nil, err
	}
	tmp := temporarySocket(path)
	if err := ProbeSocket(path); err != nil && !errors.Is(err, ErrSocketStale) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: tmp, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	info, err := dress(tmp, path, owner)
	if err != nil {
		l.Close()
		os.Remove(tmp)
		return nil, err
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

// ProbeSocket says what is at path: nil if nothing is, ErrSocketStale if a socket that nobody listens on any more,
// ErrSocketInUse if somebody does, ErrNotSocket if it is something else. Any other error means that it could not be told:
// a listener that is too busy to be connected to, say, is not taken for dead.
func ProbeSocket(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return ErrNotSocket
	}
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		c.Close()
		return ErrSocketInUse
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrSocketStale
	case errors.Is(err, syscall.EAGAIN):
		return ErrSocketInUse // its backlog is full
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
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
