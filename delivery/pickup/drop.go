package pickup

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// fileMode lets the directory's group, which is the daemon's, read a message.
const fileMode = 0o640

// Drop puts a message into a directory that a daemon takes messages from, as from the user that this process is. Of the
// envelope it keeps what MAIL and RCPT have said; the content has CRLF line ends. nil: the message is there even if the
// power fails now. After any error it is not there. The directory is not made: that is the daemon's to do.
func Drop(dir string, env *smtp.Envelope, content store.Content) error {
	head, err := marshal(env)
	if err != nil {
		return err
	}
	if len(head) > maxEnvelope {
		return fmt.Errorf("the envelope has %d octets, more than %d", len(head), maxEnvelope)
	}
	if _, err := unmarshal(head); err != nil { // the daemon would not take it either
		return err
	}
	name := strings.ToLower(rand.Text())
	tmp, path := filepath.Join(dir, "."+name), filepath.Join(dir, name)
	if err := writeFile(tmp, head, content); err != nil {
		return err
	}
	// Not a link and then an unlink: in between it has two names, and the daemon takes none that has.
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := syncName(dir, path); err != nil {
		if gone := os.Remove(path); errors.Is(gone, fs.ErrNotExist) {
			return nil // the daemon was faster, and has it
		}
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// writeFile makes a file and syncs it; after an error there is none.
func writeFile(path string, head []byte, content store.Content) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	err = f.Chmod(fileMode) // whatever the umask
	if err == nil {
		err = writeMessage(f, head, content)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(path))
	}
	return nil
}

func writeMessage(f *os.File, head []byte, content store.Content) error {
	w := bufio.NewWriterSize(f, 64<<10)
	fmt.Fprintf(w, "%s %d %d\n", magic, len(head), content.Size())
	w.Write(head) // an error stays until Flush
	n, err := io.Copy(w, io.NewSectionReader(content, 0, content.Size()))
	if err == nil && n != content.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// syncName brings the name of a file to the disk. Who may only put files into a directory may not open it, and so cannot sync
// it alone.
func syncName(dir, path string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return syncAround(path)
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
