package account

import "strings"

// The fields of a line, by number.
const (
	fieldName = iota
	fieldPassword
	fieldUID
	fieldGID
	fieldGecos
	fieldHome
	fieldShell
	fieldExtra
	fieldCount
)

// The extra fields that disable an account.
const (
	optionNoLogin    = "nologin"
	optionNoDelivery = "nodelivery"
)

// fields are those of a line; what is missing at its end is empty.
type fields [fieldCount]string

// splitFields divides a line at its colons. The last field takes all that is left.
func splitFields(line string) (f fields) {
	for i := range fieldExtra {
		var more bool
		if f[i], line, more = strings.Cut(line, ":"); !more {
			return f
		}
	}
	f[fieldExtra] = line
	return f
}

// join is the line again, without the empty fields at its end but with a password.
func (f fields) join() string {
	n := fieldCount
	for n > fieldUID && f[n-1] == "" {
		n--
	}
	return strings.Join(f[:n], ":")
}

// options divides the extra fields at their blanks.
func (f fields) options() []string {
	if mail, old := strings.CutPrefix(f[fieldExtra], ":"); old {
		if mail == "" {
			return nil
		}
		return []string{"userdb_mail=" + mail}
	}
	return strings.FieldsFunc(f[fieldExtra], func(r rune) bool { return r == ' ' })
}

// setOptions is the inverse of options.
func (f *fields) setOptions(options []string) { f[fieldExtra] = strings.Join(options, " ") }

// Fold makes of a name the one that sources know it by: the letters A to Z in lower case, and no others changed.
func Fold(name string) string {
	if !hasCapital(name) {
		return name
	}
	return string(appendFolded(make([]byte, 0, len(name)), name))
}

func hasCapital(s string) bool {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return true
		}
	}
	return false
}

func appendFolded(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}
