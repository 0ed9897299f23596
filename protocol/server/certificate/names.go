package certificate

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names returns who the owner of a client's certificate may be by it, for SASL EXTERNAL (RFC 4422, appendix A): the addresses of
// its subjectAltName (rfc822Name, RFC 5280 §4.2.1.6, and SmtpUTF8Mailbox, RFC 9598 §3), or, where it has none, the common name of
// its subject. It must be one that was verified.
//
// A CA that another has allowed to name only some addresses (RFC 5280 §4.2.1.10) is not held to that in a SmtpUTF8Mailbox and
// a common name. So a root that signs such CAs is none to take names from.
func Names(cert *x509.Certificate) []string {
	names := slices.Clone(cert.EmailAddresses)
	for _, ext := range cert.Extensions {
		if ext.Id.Equal(oidSubjectAltName) {
			names = append(names, utf8Mailboxes(ext.Value)...)
		}
	}
	names = slices.DeleteFunc(names, unprintable)
	if len(names) == 0 && len(cert.EmailAddresses) == 0 && !unprintable(cert.Subject.CommonName) {
		names = []string{cert.Subject.CommonName}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unprintable says whether a name cannot be anybody's.
func unprintable(name string) bool {
	return name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl)
}

var (
	oidSubjectAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidSmtpUTF8Mailbox = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9}
)

// An otherName is one kind of GeneralName (RFC 5280 §4.2.1.6).
type otherName struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue // [0], and the value in it
}

// utf8Mailboxes returns each SmtpUTF8Mailbox of a subjectAltName. Those whose local-part is ASCII are left out, because they must
// be rfc822Names (RFC 9598 §3), which constraints apply to.
func utf8Mailboxes(subjectAltName []byte) (names []string) {
	var all []asn1.RawValue
	if rest, err := asn1.Unmarshal(subjectAltName, &all); err != nil || len(rest) > 0 {
		return nil
	}
	for _, name := range all {
		if name.Class != asn1.ClassContextSpecific || name.Tag != 0 {
			continue
		}
		var other otherName
		var value asn1.RawValue
		_, err := asn1.UnmarshalWithParams(name.FullBytes, &other, "tag:0")
		if err != nil || !other.Type.Equal(oidSmtpUTF8Mailbox) {
			continue
		}
		if _, err := asn1.Unmarshal(other.Value.Bytes, &value); err != nil || value.Tag != asn1.TagUTF8String {
			continue
		}
		if box := string(value.Bytes); !isASCII(localPart(box)) {
			names = append(names, box)
		}
	}
	return names
}

func localPart(mailbox string) string { return mailbox[:max(0, strings.LastIndexByte(mailbox, '@'))] }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}
