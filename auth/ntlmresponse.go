package auth

import (
	"crypto/des"
	"crypto/md5"
	"encoding/binary"
	"strings"

	//lint:ignore SA1019 NTLM is made of it
	"golang.org/x/crypto/md4"
)

// ntlmResponses are what an AUTHENTICATE_MESSAGE proves with.
type ntlmResponses struct{ lm, nt []byte }

// An ntlmSecret is what responses are made from.
type ntlmSecret struct {
	domain, user, password string
	random                 [8]byte // the client's challenge
	now                    uint64  // as ntlmNow has it
}

// ntHash is what Windows keeps of a password (NTOWFv1, MS-NLMP §3.3.1).
func ntHash(password string) []byte {
	h := md4.New()
	h.Write(toUTF16(password))
	return h.Sum(nil)
}

// v2 makes the responses of NTLMv2 (MS-NLMP §3.3.2).
func (s ntlmSecret) v2(c ntlmChallenge) ntlmResponses {
	key := keyed(md5.New, ntHash(s.password), toUTF16(strings.ToUpper(s.user)+s.domain))
	timestamp, lm := c.timestamp, make([]byte, 24) // MS-NLMP §3.1.5.1.2: no LMv2 where there is a timestamp
	if timestamp == nil {
		timestamp = binary.LittleEndian.AppendUint64(nil, s.now)
		lm = append(keyed(md5.New, key, append(c.challenge[:], s.random[:]...)), s.random[:]...)
	}
	temp := append([]byte{1, 1, 0, 0, 0, 0, 0, 0}, timestamp...)
	temp = append(temp, s.random[:]...)
	temp = append(temp, 0, 0, 0, 0)
	temp = append(temp, c.info...)
	temp = append(temp, 0, 0, 0, 0)
	return ntlmResponses{lm, append(keyed(md5.New, key, append(c.challenge[:], temp...)), temp...)}
}

// v1 makes the response of NTLMv1, in the place of that of LM too, which is weaker still (MS-NLMP §3.3.1).
func (s ntlmSecret) v1(c ntlmChallenge) ntlmResponses {
	challenge, lm := c.challenge[:], []byte(nil)
	if c.flags&ntlmExtended != 0 {
		sum := md5.Sum(append(c.challenge[:], s.random[:]...))
		challenge, lm = sum[:8], append(s.random[:], make([]byte, 16)...)
	}
	nt := desLong(ntHash(s.password), challenge)
	if lm == nil {
		lm = nt
	}
	return ntlmResponses{lm, nt}
}

// desLong encrypts eight octets with DES under each third of a key of 16 octets, filled up to 21 (DESL, MS-NLMP §6).
func desLong(key, block []byte) []byte {
	key = append(key[:16:16], make([]byte, 5)...)
	out := make([]byte, 0, 24)
	for third := range 3 {
		var bits uint64
		for _, b := range key[7*third : 7*third+7] {
			bits = bits<<8 | uint64(b)
		}
		var spread [8]byte // seven bits in each octet, above that of parity
		for i := range spread {
			spread[i] = byte(bits>>(49-7*i)) << 1
		}
		cipher, err := des.NewCipher(spread[:])
		if err != nil {
			panic(err) // only of a key that does not have eight octets
		}
		var sealed [8]byte
		cipher.Encrypt(sealed[:], block)
		out = append(out, sealed[:]...)
	}
	return out
}
