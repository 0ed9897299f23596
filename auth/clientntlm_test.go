package auth_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

	"lmtpd/auth"
)

// Flags of NTLM (MS-NLMP §2.2.2.5).
const (
	ntlmUnicode, ntlmExtended, ntlmTargetInfo = 1 << 0, 1 << 19, 1 << 23
	ntlmKeyExchange, ntlmSeal                 = 1 << 30, 1 << 5
)

// ntlmChallenge is a challenge of NTLM with the server's eight octets of MS-NLMP §4.2.1.
func ntlmChallenge(flags uint32, info []byte) []byte {
	b := []byte("NTLMSSP\x00\x02\x00\x00\x00\x00\x00\x00\x00\x38\x00\x00\x00")
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(info)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(info)))
	b = append(b, 56, 0, 0, 0)
	b = append(b, 6, 0, 0x70, 0x17, 0, 0, 0, 0x0f) // version
	return append(b, info...)
}

// ntlmInfo are the pairs of MS-NLMP §4.2.4, and more.
func ntlmInfo(more ...byte) []byte {
	var b []byte
	for i, s := range []string{"Domain", "Server"} {
		b = append(b, byte(2-i), 0, 12, 0)
		for _, unit := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, unit)
		}
	}
	return append(append(b, more...), 0, 0, 0, 0)
}

// ntlmField is one of the fields of the last message: responses of LM and NT, domain, user, workstation, session key.
func ntlmField(t *testing.T, message []byte, i int) []byte {
	t.Helper()
	at := message[12+8*i:]
	size, offset := int(binary.LittleEndian.Uint16(at)), int(binary.LittleEndian.Uint32(at[4:]))
	if offset+size > len(message) {
		t.Fatalf("field %d is outside of % x", i, message)
	}
	return message[offset : offset+size]
}

// TestNTLM has the examples of MS-NLMP §4.2.2, §4.2.3 and §4.2.4.
func TestNTLM(t *testing.T) {
	aa := strings.Repeat("aa", 8)
	timestamp := []byte{7, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8}
	for _, test := range []struct {
		name      string
		challenge []byte
		lm, nt    string // nt is how it begins
	}{
		{"NTLMv1", ntlmChallenge(ntlmUnicode, nil), "67c43011f30298a2ad35ece64f16331c44bdbed927841f94", "67c43011f30298a2ad35ece64f16331c44bdbed927841f94"},
		{"NTLMv1 of 32 octets", ntlmChallenge(ntlmUnicode, nil)[:32], "67c43011f30298a2ad35ece64f16331c44bdbed927841f94", "67c43011f30298a2ad35ece64f16331c44bdbed927841f94"},
		{"NTLMv1 with extended session security", ntlmChallenge(ntlmUnicode|ntlmExtended, nil), aa + strings.Repeat("00", 16),
			"7537f803ae367128ca458204bde7caf81e97ed2683267232"},
		{"NTLMv2", ntlmChallenge(ntlmUnicode|ntlmExtended|ntlmTargetInfo, ntlmInfo()), "86c35097ac9cec102554764a57cccc19" + aa,
			"68cd0ab851e51c96aabc927bebef6a1c" + "0101000000000000" + "0000000000000000" + aa + "00000000" + hex.EncodeToString(ntlmInfo()) + "00000000"},
		{"NTLMv2 with a time", ntlmChallenge(ntlmUnicode|ntlmKeyExchange|ntlmSeal, ntlmInfo(timestamp...)), strings.Repeat("00", 24), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t, "NTLM", auth.Credentials{Name: `Domain\User`, Password: "Password"}, auth.Channel{})
			auth.Fixed(c, strings.Repeat("\xaa", 8), "")
			first, err := c.Start()
			if err != nil || !bytes.HasPrefix(first, []byte("NTLMSSP\x00\x01\x00\x00\x00")) || len(first) != 32 {
				t.Fatalf("% x, %v", first, err)
			}
			last, err := c.Next(test.challenge)
			if err != nil || c.Finish() != nil {
				t.Fatal(err, c.Finish())
			}
			if got := hex.EncodeToString(ntlmField(t, last, 0)); got != test.lm {
				t.Errorf("LM: %s", got)
			}
			if got := hex.EncodeToString(ntlmField(t, last, 1)); got != test.nt && test.nt != "" {
				t.Errorf("NT: %s", got)
			}
			if domain, user := ntlmField(t, last, 2), ntlmField(t, last, 3); string(domain) != "D\x00o\x00m\x00a\x00i\x00n\x00" || string(user) != "U\x00s\x00e\x00r\x00" {
				t.Errorf("%q, %q", domain, user)
			}
			if flags := binary.LittleEndian.Uint32(last[60:]); flags&(ntlmKeyExchange|ntlmSeal) != 0 || flags&ntlmUnicode == 0 {
				t.Errorf("flags %x", flags)
			}
			if test.nt == "" && !bytes.Equal(ntlmField(t, last, 1)[24:32], timestamp[4:]) {
				t.Error("the server's time is not in the response")
			}
		})
	}
}

// A name with an "@" is whole, and has no domain beside it.
func TestNTLMName(t *testing.T) {
	c := newClient(t, "NTLM", auth.Credentials{Name: "ü@example.org", Password: "x"}, auth.Channel{})
	last, err := c.Next(ntlmChallenge(ntlmUnicode, ntlmInfo()))
	if err != nil {
		t.Fatal(err)
	}
	if domain, user := ntlmField(t, last, 2), ntlmField(t, last, 3); len(domain) > 0 || !bytes.HasPrefix(user, []byte("\xfc\x00@\x00")) {
		t.Errorf("%q, %q", domain, user)
	}
}
