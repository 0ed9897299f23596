package pickup

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/protocol/smtp"
)

const (
	magic       = "lmtpd-drop 1"
	maxHead     = 64      // octets of the first line
	maxEnvelope = 4 << 20 // octets of the envelope
)

// A file is one that lies in the directory.
type file struct {
	f       *os.File
	name    string
	uid     uint32    // whose it is
	written time.Time // as its owner has it
	size    int64

	env     *smtp.Envelope
	content io.ReaderAt
	octets  int64 // of the content

	disowned bool // whose file it is may not send under its reverse-path
}

// errNoFile says that something is no regular file with one name. There is no mail in it that is not elsewhere.
type errNoFile struct{ what string }

func (e errNoFile) Error() string { return "not a message: " + e.what }

// open opens what is called name in a directory. It waits for nothing, however hostile that is.
func open(dir *os.File, name string) (*file, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err == unix.ELOOP || err == unix.EMLINK || err == unix.ENXIO || err == unix.EOPNOTSUPP { // EMLINK: FreeBSD's word
		return nil, errNoFile{"a symbolic link or a socket"}
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	f := &file{f: os.NewFile(uintptr(fd), name), name: name}
	if err := f.look(); err != nil {
		f.f.Close()
		return nil, err
	}
	return f, nil
}

func (f *file) look() error {
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.f.Fd()), &st); err != nil {
		return err
	}
	switch {
	case !info.Mode().IsRegular():
		return errNoFile{info.Mode().Type().String()}
	case st.Nlink != 1:
		return errNoFile{"a file with several names"}
	}
	f.uid, f.written, f.size = st.Uid, info.ModTime(), info.Size()
	return nil
}

// read reads the envelope, and finds the content. What grows afterwards is not looked at.
func (f *file) read() error {
	in := bufio.NewReader(io.NewSectionReader(f.f, 0, f.size))
	line, err := in.Peek(int(min(f.size, maxHead)))
	if err != nil {
		return err
	}
	first, _, ended := strings.Cut(string(line), "\n")
	octets, ok := strings.CutPrefix(first, magic+" ")
	before, after, divided := strings.Cut(octets, " ")
	if !ended || !ok || !divided {
		return fmt.Errorf("%w: first line %.64q", errMalformed, first)
	}
	head, err1 := strconv.ParseUint(before, 10, 31)
	content, err2 := strconv.ParseUint(after, 10, 62)
	at := int64(len(first) + 1)
	if err1 != nil || err2 != nil || head > maxEnvelope || at+int64(head)+int64(content) != f.size {
		return fmt.Errorf("%w: %.64q, and has %d octets", errMalformed, first, f.size)
	}
	b := make([]byte, head)
	if _, err := f.f.ReadAt(b, at); err != nil {
		return err
	}
	if f.env, err = unmarshal(b); err != nil {
		return err
	}
	f.octets = int64(content)
	f.content = io.NewSectionReader(f.f, at+int64(head), f.octets)
	return nil
}

// ReadAt and Size make the content a store.Content.
func (f *file) ReadAt(p []byte, off int64) (int, error) { return f.content.ReadAt(p, off) }
func (f *file) Size() int64                             { return f.octets }

func (f *file) close() { f.f.Close() }
