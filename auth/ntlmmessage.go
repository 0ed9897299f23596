package auth

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// What can be agreed on (MS-NLMP §2.2.2.5).
const (
	ntlmUnicode    = 1 << 0
	ntlmTarget     = 1 << 2
	ntlmNTLM       = 1 << 9
	ntlmAlwaysSign = 1 << 15
	ntlmExtended   = 1 << 19 // extended session security
	ntlmTargetInfo = 1 << 23

	// ntlmFlags are those that we offer: there is nothing to sign or to seal after the exchange.
	ntlmFlags = ntlmUnicode | ntlmTarget | ntlmNTLM | ntlmAlwaysSign | ntlmExtended | ntlmTargetInfo
)

// maxNTLMInfo is how long a TargetInfo may be: it comes back in a response, whose length must fit 16 bits.
const maxNTLMInfo = 1 << 15

const (
	ntlmSignature  = "NTLMSSP\x00"
	ntlmEndOfPairs = 0 // MsvAvEOL (MS-NLMP §2.2.2.1)
	ntlmTimestamp  = 7 // MsvAvTimestamp
)

// ntlmNegotiate is a NEGOTIATE_MESSAGE (MS-NLMP §2.2.1.1). Domain and workstation are nobody's business.
func ntlmNegotiate() []byte {
	b := append([]byte(ntlmSignature), 1, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, ntlmFlags)
	return append(b, make([]byte, 16)...)
}

// An ntlmChallenge is a CHALLENGE_MESSAGE (MS-NLMP §2.2.1.2).
type ntlmChallenge struct {
	flags     uint32
	challenge [8]byte
	info      []byte // TargetInfo
	timestamp []byte // of it; nil: it has none
}

func parseNTLMChallenge(b []byte) (c ntlmChallenge, ok bool) {
	const withoutInfo, withInfo = 32, 48 // old servers send the first
	if len(b) < withoutInfo || string(b[:8]) != ntlmSignature || binary.LittleEndian.Uint32(b[8:]) != 2 {
		return c, false
	}
	c.flags = binary.LittleEndian.Uint32(b[20:])
	copy(c.challenge[:], b[24:])
	if len(b) < withInfo {
		return c, true
	}
	size, offset := int(binary.LittleEndian.Uint16(b[40:])), int64(binary.LittleEndian.Uint32(b[44:]))
	if size == 0 {
		return c, true
	}
	if size > maxNTLMInfo || offset+int64(size) > int64(len(b)) {
		return c, false
	}
	c.info = b[offset : offset+int64(size)]
	c.timestamp, ok = ntlmTime(c.info)
	return c, ok
}

// ntlmTime finds the time among the pairs of a TargetInfo; nil: it is not there. ok is that the pairs end as they have to.
func ntlmTime(pairs []byte) (timestamp []byte, ok bool) {
	for len(pairs) >= 4 {
		id, size := binary.LittleEndian.Uint16(pairs), int(binary.LittleEndian.Uint16(pairs[2:]))
		pairs = pairs[4:]
		switch {
		case id == ntlmEndOfPairs:
			return timestamp, true
		case size > len(pairs), id == ntlmTimestamp && size != 8:
			return nil, false
		case id == ntlmTimestamp:
			timestamp = pairs[:size]
		}
		pairs = pairs[size:]
	}
	return nil, false
}

// ntlmAuthenticate is an AUTHENTICATE_MESSAGE (MS-NLMP §2.2.1.3), without its version and MIC.
func ntlmAuthenticate(flags uint32, domain, user string, r ntlmResponses) []byte {
	const header = 64
	b := append([]byte(ntlmSignature), 3, 0, 0, 0)
	var parts []byte
	for _, part := range [...][]byte{r.lm, r.nt, toUTF16(domain), toUTF16(user), nil, nil} { // workstation, session key
		b = binary.LittleEndian.AppendUint16(b, uint16(len(part)))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(part)))
		b = binary.LittleEndian.AppendUint32(b, uint32(header+len(parts)))
		parts = append(parts, part...)
	}
	b = binary.LittleEndian.AppendUint32(b, flags&ntlmFlags)
	return append(b, parts...)
}

// toUTF16 is s in UTF-16, the lesser octet first.
func toUTF16(s string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// ntlmIdentity divides DOMAIN\user. Any other name is whole, that with an "@" too.
func ntlmIdentity(name string) (domain, user string) {
	if domain, user, ok := strings.Cut(name, `\`); ok {
		return domain, user
	}
	return "", name
}
