package delivery

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// FoldDomain returns the one form of a domain by which it is looked up and its mailboxes are named: lower case,
// and A-labels where it has others (RFC 5890 §2.3.2.1), since a message with SMTPUTF8 may carry either. What
// IDNA does not know, an address literal say, is only put in lower case.
func FoldDomain(d string) string {
	for i := range len(d) {
		if d[i] < utf8.RuneSelf {
			continue
		}
		if a, err := domains.ToASCII(d); err == nil {
			return a
		}
		break
	}
	return strings.ToLower(d)
}

// domains is not strict about underscores and the like: a domain is compared here, not looked up.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false),
	idna.VerifyDNSLength(true))
