package smtp

// EqualFold says whether a and b are the same word of the protocol in any case. Only ASCII letters have case
// there (RFC 5321 §2.4): strings.EqualFold would take the long s of "LAſT" for an s.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if upper(a[i]) != upper(b[i]) {
			return false
		}
	}
	return true
}

// Upper returns a word of the protocol in capitals; octets that are not ASCII letters stay as they are.
func Upper(s string) string {
	for i := range len(s) {
		if upper(s[i]) != s[i] {
			b := []byte(s)
			for i, c := range b {
				b[i] = upper(c)
			}
			return string(b)
		}
	}
	return s
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}
