package maildir

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// names makes unique names: sec.MusecPpidRrandomQcount.host. The random part tells apart two stores that share a process
// number, as containers do; a name that is taken all the same is found out by link and made anew.
type names struct {
	now     func() time.Time
	process string // "Ppid" "Rrandom"
	host    string
	count   atomic.Uint64
}

func newNames(now func() time.Time, host string) *names {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return &names{
		now:     now,
		process: "P" + strconv.Itoa(os.Getpid()) + "R" + hex.EncodeToString(random[:]),
		host:    escapeHost(host),
	}
}

// escapeHost replaces what means something in a file name of a maildir.
func escapeHost(host string) string {
	return strings.NewReplacer("/", `\057`, ":", `\072`, ",", `\054`).Replace(host)
}

// next appends a new unique name to b.
func (n *names) next(b []byte) []byte {
	now := n.now()
	b = strconv.AppendInt(b, now.Unix(), 10)
	b = append(b, ".M"...)
	b = strconv.AppendInt(b, int64(now.Nanosecond()/1000), 10)
	b = append(b, n.process...)
	b = append(b, 'Q')
	b = strconv.AppendUint(b, n.count.Add(1), 10)
	b = append(b, '.')
	return append(b, n.host...)
}

// final makes the name of a whole message: unique name, sizes and, with flags, the info part.
func (n *names) final(size sizes, flags string) string {
	b := n.next(make([]byte, 0, 192))
	b = append(b, ",S="...)
	b = strconv.AppendInt(b, size.disk, 10)
	b = append(b, ",W="...)
	b = strconv.AppendInt(b, size.wire, 10)
	if flags != "" {
		b = append(append(b, ":2,"...), flags...)
	}
	return string(b)
}

// sizes are what ,S= and ,W= in a name say: octets on the disk, and octets when every line ends in CRLF.
type sizes struct {
	disk, wire int64
}

// A baseName is a file name in new/ or cur/, taken apart: id, and the letters after ":2,".
type baseName struct {
	id    string
	flags string
}

// parseName takes a file name apart; one that cannot be a message's is not ok. Strangers write these names.
func parseName(name string) (b baseName, ok bool) {
	if name == "" || name[0] == '.' {
		return b, false
	}
	id, info, _ := strings.Cut(name, ":")
	if id == "" {
		return b, false
	}
	flags, _ := strings.CutPrefix(info, "2,")
	if flags == info {
		flags = "" // no info part, or an experimental one
	}
	flags, _, _ = strings.Cut(flags, ",")
	return baseName{id: id, flags: flags}, true
}

// size reads a size from an id: the number after key, as in ",W=123".
func (b baseName) size(key string) (n int64, ok bool) {
	_, rest, ok := strings.Cut(b.id, key)
	if !ok {
		return 0, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.ParseInt(rest[:end], 10, 64)
	return n, err == nil
}

// exactSize is size, but only if nothing else stands between the number and the next comma.
func (b baseName) exactSize(key string) (n int64, ok bool) {
	_, rest, ok := strings.Cut(b.id, key)
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, ",")
	u, err := strconv.ParseUint(number, 10, 63)
	return int64(u), err == nil
}

// before orders ids made in the same moment: by the seconds, then the microseconds in them, then as text.
func before(a, b string) int {
	as, au := nameTime(a)
	bs, bu := nameTime(b)
	// The length comes before the text: Q9 before Q10.
	return cmp.Or(cmp.Compare(as, bs), cmp.Compare(au, bu), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func nameTime(id string) (sec, usec int64) {
	first, rest, _ := strings.Cut(id, ".")
	sec, _ = strconv.ParseInt(first, 10, 64)
	if rest, ok := strings.CutPrefix(rest, "M"); ok {
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end > 0 {
			usec, _ = strconv.ParseInt(rest[:end], 10, 64)
		}
	}
	return sec, usec
}
