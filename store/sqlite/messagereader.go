package sqlite

import (
	"context"
	"fmt"
	"io"
	"strconv"
)

// A messageReader reads one message: its trace fields, then the chunks of its content.
type messageReader struct {
	ctx     context.Context
	db      *database
	id      int64 // of the copy
	content int64
	next    int64 // number of the next chunk
	left    int64 // octets of the content that are to be read yet
	some    []byte
}

// find looks the message up.
func (m *messageReader) find(p place, id string) (err error) {
	return m.db.look(m.ctx, func(v view) error {
		folder, err := v.folder(p)
		if err != nil {
			return err
		}
		m.id, err = parseID(id)
		if err != nil {
			return err
		}
		var octets int64
		there, err := v.one(selectCopy, []any{m.id, folder}, &m.content, &octets, &m.some)
		if err == nil && !there {
			return noMessage(id)
		}
		m.left = octets - int64(len(m.some))
		return err
	})
}

// parseID reads the id of a message.
func parseID(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != id {
		return 0, noMessage(id)
	}
	return n, nil
}

// Read reads on.
func (m *messageReader) Read(b []byte) (int, error) {
	for len(m.some) == 0 && len(b) > 0 {
		if m.left == 0 {
			return 0, io.EOF
		}
		if err := m.fetch(); err != nil {
			return 0, err
		}
	}
	n := copy(b, m.some)
	m.some = m.some[n:]
	return n, nil
}

func (m *messageReader) fetch() error {
	err := m.db.look(m.ctx, func(v view) error {
		there, err := v.one(selectChunk, []any{chunkID(m.content, m.next), m.id, m.content}, &m.some)
		if err == nil && !there {
			err = noMessage(fmt.Sprintf("%d (it was removed while it was read, or octets of it are missing)", m.id))
		}
		return err
	})
	if err != nil {
		return classify(err)
	}
	if len(m.some) == 0 || int64(len(m.some)) > m.left {
		return fmt.Errorf("message %d has not as many octets as it should", m.id)
	}
	m.next++
	m.left -= int64(len(m.some))
	return nil
}

// Close gives the database back.
func (m *messageReader) Close() error {
	if m.db != nil {
		m.db.store.pool.giveBack(m.db)
		m.db = nil
	}
	return nil
}
