package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"lmtpd/store"
)

// A Target is a mailbox that messages are put into, each once however often that is tried.
type Target struct {
	Mailbox
	Below string // folder that everything goes into or below; "": each into its own

	known map[string]*stock
}

// A stock is what a folder held at the beginning, less what has been asked for.
type stock struct {
	ids  map[int64][]string       // by the second of the date, those that have not been read
	sums map[int64]map[digest]int // those that have
}

// A digest is that of a message's octets with CRLF line ends.
type digest [sha256.Size]byte

// place gives the folder that a message goes to.
func (t *Target) place(folder string) string {
	switch {
	case t.Below == "":
		return folder
	case folder == "":
		return t.Below
	}
	return t.Below + "/" + folder
}

// put delivers a message, unless it is there.
func (t *Target) put(ctx context.Context, l letter) (Outcome, error) {
	folder := t.place(l.folder)
	s, err := t.stock(ctx, folder)
	if err != nil {
		return Gone, fmt.Errorf("look what is there: %w", err)
	}
	there, err := t.take(ctx, s, folder, l)
	if err != nil {
		return Gone, fmt.Errorf("look what is there: %w", err)
	}
	if there {
		return There, nil
	}
	to := []store.Placement{{Mailbox: t.Mailbox.Mailbox, Folder: folder, Flags: l.flags, Date: l.date}}
	return Put, t.Store.Deliver(ctx, l.content, to)[0]
}

// stock lists a folder, the first time that it is asked for.
func (t *Target) stock(ctx context.Context, folder string) (*stock, error) {
	if s := t.known[folder]; s != nil {
		return s, nil
	}
	list, err := t.Store.Messages(ctx, t.Mailbox.Mailbox, folder)
	if err != nil && !errors.Is(err, store.ErrNoFolder) && !errors.Is(err, store.ErrNoMailbox) {
		return nil, err
	}
	s := &stock{ids: map[int64][]string{}, sums: map[int64]map[digest]int{}}
	for _, m := range list {
		s.ids[m.Date.Unix()] = append(s.ids[m.Date.Unix()], m.ID)
	}
	if t.known == nil {
		t.known = map[string]*stock{}
	}
	t.known[folder] = s
	return s, nil
}

// take takes a message from the stock, if it is there.
func (t *Target) take(ctx context.Context, s *stock, folder string, l letter) (bool, error) {
	second := l.date.Unix()
	if ids := s.ids[second]; len(ids) > 0 {
		sums, err := t.read(ctx, folder, ids)
		if err != nil {
			return false, err
		}
		s.sums[second] = sums
		delete(s.ids, second)
	}
	sums := s.sums[second]
	if len(sums) == 0 {
		return false, nil
	}
	sum, err := digestOf(io.NewSectionReader(l.content, 0, l.content.Size()))
	if err != nil || sums[sum] == 0 {
		return false, err
	}
	sums[sum]--
	return true, nil
}

// read counts messages by their digests. Those that are gone by now do not count.
func (t *Target) read(ctx context.Context, folder string, ids []string) (map[digest]int, error) {
	sums := map[digest]int{}
	for _, id := range ids {
		r, err := t.Store.Open(ctx, t.Mailbox.Mailbox, folder, id)
		if errors.Is(err, store.ErrNoMessage) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sum, err := digestOf(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		sums[sum]++
	}
	return sums, nil
}

// digestOf makes CRLF of each LF that has no CR before it: a maildir cannot keep the two apart.
func digestOf(r io.Reader) (sum digest, err error) {
	h := sha256.New()
	block := make([]byte, 64<<10)
	prev := byte(0)
	for {
		n, err := r.Read(block)
		for b := block[:n]; len(b) > 0; {
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				h.Write(b)
				prev = b[len(b)-1]
				break
			}
			if i > 0 {
				prev = b[i-1]
			}
			h.Write(b[:i])
			if prev != '\r' {
				h.Write([]byte{'\r'})
			}
			h.Write([]byte{'\n'})
			prev, b = '\n', b[i+1:]
		}
		if errors.Is(err, io.EOF) {
			return digest(h.Sum(nil)), nil
		}
		if err != nil {
			return sum, err
		}
	}
}
