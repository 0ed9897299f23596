package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

const (
	// keywordsFile is where Dovecot keeps what the letters a to z in the names of a folder's messages stand for: lines of a
	// number from 0 and a keyword.
	keywordsFile = "dovecot-keywords"
	// keywordsLock is where Dovecot writes the new file, and what keeps others from doing so.
	keywordsLock = "dovecot-keywords.lock"
	// maxKeywords is what is read of a stranger's file.
	maxKeywords = 64 << 10
)

// keywords are those of a folder, by their letters.
type keywords [26]store.Flag

// isKeyword says whether a flag can be one of a folder's keywords. $Forwarded is one, though it has the letter P in every
// maildir: Dovecot does not know that.
func isKeyword(f store.Flag) bool {
	return f != "" && !strings.ContainsFunc(string(f), func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' })
}

func parseKeywords(text []byte) (k keywords) {
	for line := range strings.Lines(string(text)) {
		number, word, ok := strings.Cut(strings.TrimRight(line, "\n"), " ")
		n, err := strconv.ParseUint(number, 10, 8)
		if ok && err == nil && n < uint64(len(k)) && word != "" && !strings.ContainsAny(word, " \\") {
			k[n] = store.Flag(word)
		}
	}
	return k
}

func (k keywords) String() string {
	var b strings.Builder
	for n, word := range k {
		if word != "" {
			fmt.Fprintf(&b, "%d %s\n", n, word)
		}
	}
	return b.String()
}

func (k keywords) index(f store.Flag) int {
	return slices.IndexFunc(k[:], func(word store.Flag) bool { return word != "" && strings.EqualFold(string(word), string(f)) })
}

// flags gives the flags that letters stand for; unknown ones stand for none.
func (k keywords) flags(letters string) []store.Flag {
	flags := flagsOf(letters)
	for _, c := range []byte(letters) {
		if c < 'a' || c > 'z' || !isKeyword(k[c-'a']) {
			continue
		}
		word := k[c-'a']
		if !slices.ContainsFunc(flags, func(f store.Flag) bool { return strings.EqualFold(string(f), string(word)) }) {
			flags = append(flags, word)
		}
	}
	return flags
}

// letters gives the letters of the flags that are keywords here.
func (k keywords) letters(flags []store.Flag) (letters string) {
	for _, f := range flags {
		if n := k.index(f); n >= 0 {
			letters += string(rune('a' + n))
		}
	}
	return letters
}

// add gives a letter to the keywords that have none, as long as there are letters.
func (k *keywords) add(flags []store.Flag) (changed bool) {
	for _, f := range flags {
		if !isKeyword(f) || k.index(f) >= 0 {
			continue
		}
		if n := slices.Index(k[:], ""); n >= 0 {
			k[n], changed = f, true
		}
	}
	return changed
}

// keywords reads those of the folder d. What may not be such a file gives errNoFile.
func (d *dir) keywords() (keywords, error) {
	text, err := d.readFile(keywordsFile, maxKeywords)
	switch {
	case err == nil:
		return parseKeywords(text), nil
	case errors.Is(err, fs.ErrNotExist):
		return keywords{}, nil
	}
	return keywords{}, fmt.Errorf("keywords: %w", err)
}

// knownKeywords are keywords but that something else in the place of their file stands for none.
func (d *dir) knownKeywords() (keywords, error) {
	k, err := d.keywords()
	if errors.Is(err, errNoFile) {
		return k, nil
	}
	return k, err
}

// keywordsFor reads the keywords of the folder d, after those that flags need have been added. More than there are letters
// for are left out.
func (s *Store) keywordsFor(d *dir, flags []store.Flag) (k keywords, err error) {
	if !slices.ContainsFunc(flags, isKeyword) {
		return d.knownKeywords()
	}
	defer s.making.lock(d.name() + "/" + keywordsFile)()
	if k, err = d.keywords(); err != nil || !k.add(flags) {
		return k, err
	}
	fd, err := s.lockFile(d, keywordsLock)
	if errors.Is(err, errLocked) {
		return k, fmt.Errorf("%w: keywords: %w", store.ErrBusy, err)
	}
	if err != nil {
		return k, fmt.Errorf("keywords: %w", err)
	}
	return s.addKeywords(d, fd, flags)
}

// addKeywords replaces the file by the lock, which it writes: nobody else may change it until then.
func (s *Store) addKeywords(d *dir, lock int, flags []store.Flag) (keywords, error) {
	k, err := d.keywords()
	k.add(flags)
	if err == nil {
		err = s.fs.writeAll(lock, []byte(k.String()))
	}
	if err == nil {
		err = s.fs.syncFile(lock)
	}
	err = errors.Join(err, unix.Close(lock))
	if err == nil {
		err = s.fs.rename(d.fd(), keywordsLock, d.fd(), keywordsFile)
	}
	if err != nil {
		_ = s.fs.unlink(d.fd(), keywordsLock)
		return k, fmt.Errorf("keywords: %w", err)
	}
	if err := s.fs.syncDir(d.fd()); err != nil {
		return k, fmt.Errorf("sync %s: %w", d.name(), err)
	}
	return k, nil
}
