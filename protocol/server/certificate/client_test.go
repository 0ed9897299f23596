package certificate_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"lmtpd/protocol/server/certificate"
)

// generalName makes an otherName of a subjectAltName.
func generalName(t *testing.T, oid asn1.ObjectIdentifier, tag int, text string) asn1.RawValue {
	t.Helper()
	inner, err := asn1.Marshal(asn1.RawValue{Tag: tag, Bytes: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	name, err := asn1.Marshal(struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}{oid, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}})
	if err != nil {
		t.Fatal(err)
	}
	var sequence asn1.RawValue
	if _, err := asn1.Unmarshal(name, &sequence); err != nil {
		t.Fatal(err)
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: sequence.Bytes}
}

// Who the owner of a certificate is: its addresses, or else its common name.
func TestNames(t *testing.T) {
	a := newAuthority(t, time.Now())
	mailbox, upn := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9}, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
	utf8 := func(text string) asn1.RawValue { return generalName(t, mailbox, asn1.TagUTF8String, text) }
	rfc822 := func(text string) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte(text)}
	}
	for _, tt := range []struct {
		name string
		cn   string
		sans []asn1.RawValue
		want string
	}{
		{"common name", "ann", nil, "ann"},
		{"no name", "", nil, ""},
		{"address", "Ann", []asn1.RawValue{rfc822("ann@example.org")}, "ann@example.org"},
		{"addresses", "Ann", []asn1.RawValue{rfc822("b@example.org"), rfc822("a@example.org"), rfc822("b@example.org")}, "a@example.org b@example.org"},
		{"international", "Ann", []asn1.RawValue{utf8("änn@example.org")}, "änn@example.org"},
		{"both", "Ann", []asn1.RawValue{rfc822("ann@example.org"), utf8("änn@bücher.example")}, "ann@example.org änn@bücher.example"},
		{"international in ASCII", "Ann", []asn1.RawValue{utf8("root@example.org")}, "Ann"},
		{"international without domain", "Ann", []asn1.RawValue{utf8("änn")}, "Ann"},
		{"other name of another kind", "Ann", []asn1.RawValue{generalName(t, upn, asn1.TagUTF8String, "änn@example.org")}, "Ann"},
		{"other name of another type", "Ann", []asn1.RawValue{generalName(t, mailbox, asn1.TagPrintableString, "änn@example.org")}, "Ann"},
		{"not UTF-8", "Ann", []asn1.RawValue{utf8("\xffnn@example.org")}, "Ann"},
		{"control character", "Ann", []asn1.RawValue{utf8("ä\x00nn@example.org")}, "Ann"},
		{"common name with control character", "an\x00n", nil, ""},
	} {
		template := a.forHosts()
		template.Subject.CommonName = tt.cn
		if tt.sans != nil {
			value, err := asn1.Marshal(tt.sans)
			if err != nil {
				t.Fatal(err)
			}
			template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}}
		}
		if got := strings.Join(certificate.Names(a.issue(template).cert), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	broken := &x509.Certificate{Subject: pkix.Name{CommonName: "ann"}, Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: []byte{0x30, 9, 0xa0}}}}
	if got := strings.Join(certificate.Names(broken), " "); got != "ann" {
		t.Errorf("broken extension: %q", got)
	}
}
