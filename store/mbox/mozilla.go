package mbox

import (
	"strconv"

	"lmtpd/store"
)

// mozillaFlags reads X-Mozilla-Status of Thunderbird: bits in hexadecimal.
func mozillaFlags(value string) (flags []store.Flag) {
	bits, err := strconv.ParseUint(value, 16, 32)
	if err != nil {
		return nil
	}
	for _, b := range []struct {
		bit  uint64
		flag store.Flag
	}{
		{0x0001, store.FlagSeen}, {0x0002, store.FlagAnswered}, {0x0004, store.FlagFlagged}, {0x0008, store.FlagDeleted},
		{0x1000, store.FlagPassed},
	} {
		if bits&b.bit != 0 {
			flags = append(flags, b.flag)
		}
	}
	return flags
}
