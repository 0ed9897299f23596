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

// content returns the content of a parcel: a new one, one with its hash that is there, or the one that was written ahead.
func (t *tx) content(p *parcel) (id int64, err error) {
	if id, ok := t.contents[p]; ok {
		return id, nil
	}
	if p.letter.body != nil {
		id, err = t.newContent(p.letter)
	}
	if err == nil && id == 0 {
		id, err = t.sameContent(p)
	}
	if err == nil {
		t.contents[p] = id
	}
	return id, err
}

// newContent makes a content; 0 says that it is there already.
func (t *tx) newContent(l *letter) (id int64, err error) {
	id, err = t.insertContent(l, l.hash[:], nil)
	if err == nil && id != 0 {
		err = t.insertChunks(id, 0, l.body.b)
	}
	return id, err
}

// sameContent finds the content with the hash of a parcel, or gives that hash to the one that was written ahead.
func (t *tx) sameContent(p *parcel) (id int64, err error) {
	hash := p.letter.hash[:]
	if id, err = t.id("find content", selectContent, hash); err != nil {
		return 0, err
	}
	switch {
	case id != 0 && p.staged != 0 && id != p.staged:
		_, err = t.exec("discard content", discardContent, p.staged)
	case id != 0:
	case p.staged != 0:
		id, err = p.staged, t.change("finish content", errContentGone, finishContent, hash, p.staged)
	default:
		err = errContentGone
	}
	return id, err
}

// insertContent returns the id of a new row; 0 if there is one with that hash.
func (t *tx) insertContent(l *letter, hash []byte, begun any) (int64, error) {
	f := &l.facts
	r, err := t.exec("insert content", insertContent, hash, l.size, begun, f.subject, f.author, f.sent, f.messageID)
	if err != nil {
		return 0, err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
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
