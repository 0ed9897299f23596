package password

import (
	"bytes"
	"crypto/md5"
	"encoding"
	"encoding/binary"
	"fmt"
)

// cramOctets is how many the two states of MD5 have.
const cramOctets = 2 * md5.Size

// md5Magic is what the marshalled state of an MD5 begins with.
const md5Magic = "md5\x01"

// matchCRAM compares with what a server keeps for CRAM-MD5 in place of the secret (RFC 2104 §4).
func matchCRAM(text, password string) (bool, error) {
	states, err := cramStates(password)
	return same([]byte(text), states), err
}

// cramStates returns the states of MD5 after the password with the outer and the inner pad of HMAC (RFC 2104 §4), each
// as four numbers in little-endian.
func cramStates(password string) ([]byte, error) {
	key := []byte(password)
	if len(key) > md5.BlockSize {
		sum := md5.Sum(key)
		key = sum[:]
	}
	var states []byte
	for _, pad := range []byte{0x5c, 0x36} {
		block := bytes.Repeat([]byte{pad}, md5.BlockSize)
		for i := range key {
			block[i] ^= key[i]
		}
		h := md5.New()
		h.Write(block)
		state, err := h.(encoding.BinaryMarshaler).MarshalBinary() // md5Magic, then the state
		if err != nil {
			return nil, fmt.Errorf("take the state of MD5: %w", err)
		}
		for state = state[len(md5Magic) : len(md5Magic)+md5.Size]; len(state) > 0; state = state[4:] {
			states = binary.LittleEndian.AppendUint32(states, binary.BigEndian.Uint32(state))
		}
	}
	return states, nil
}

// marshalState is the inverse of what cramStates does with one of its states: the form that an MD5 unmarshals from, after one block.
func marshalState(state []byte) []byte {
	m := []byte(md5Magic)
	for ; len(state) > 0; state = state[4:] {
		m = binary.BigEndian.AppendUint32(m, binary.LittleEndian.Uint32(state))
	}
	m = append(m, make([]byte, md5.BlockSize)...) // what of the next block is there
	return binary.BigEndian.AppendUint64(m, md5.BlockSize)
}
