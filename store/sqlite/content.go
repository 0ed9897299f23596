package sqlite

import "errors"

const (
	// chunkSize is what one row of octets has. The driver copies what it is given, and larger copies are slower.
	chunkSize = 64 << 10
	// maxWhole is how large a content may be to be written in the transaction that makes its copies, with those of others. What
	// is larger is written ahead in parts of this size, each in a transaction, so that nobody waits for the whole of it.
	maxWhole = 1 << 20
)

// errContentGone says that a content that was there already has been removed with its last copy.
var errContentGone = errors.New("the same content was there and has been removed meanwhile")

// content returns the content of a parcel: one with its hash that is there, the one that was written ahead, or a new one.
func (t *tx) content(p *parcel) (id int64, err error) {
	if id, ok := t.contents[p]; ok {
		return id, nil
	}
	l := p.letter
	if id, err = t.id("find content", selectContent, l.hash[:]); err != nil {
		return 0, err
	}
	switch {
	case id != 0 && p.staged != 0 && id != p.staged:
		_, err = t.exec("discard content", discardContent, p.staged)
	case id != 0:
	case p.staged != 0:
		id, err = p.staged, t.change("finish content", errContentGone, finishContent, l.hash[:], p.staged)
	case l.body == nil:
		err = errContentGone
	default:
		if id, err = t.insertContent(l, l.hash[:], nil); err == nil {
			err = t.insertChunks(id, 0, l.body.b)
		}
	}
	if err == nil {
		t.contents[p] = id
	}
	return id, err
}

func (t *tx) insertContent(l *letter, hash []byte, begun any) (int64, error) {
	f := &l.facts
	r, err := t.exec("insert content", insertContent, hash, l.size, begun, f.subject, f.author, f.sent, f.messageID)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// insertChunks writes a part of a content, from chunk number n on.
func (t *tx) insertChunks(content, n int64, part []byte) error {
	for len(part) > 0 {
		size := min(len(part), chunkSize)
		if _, err := t.exec("insert chunk", insertChunk, chunkID(content, n), part[:size]); err != nil {
			return err
		}
		part, n = part[size:], n+1
	}
	return nil
}

// chunkID is the id of chunk n of a content.
func chunkID(content, n int64) int64 { return content<<16 + n }

// maxContent is what the numbers of chunks are enough for.
const maxContent = chunkSize << 16
