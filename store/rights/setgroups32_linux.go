//go:build 386 || arm

package rights

import "golang.org/x/sys/unix"

// sysSetgroups is the call that takes groups of 32 bits.
const sysSetgroups = unix.SYS_SETGROUPS32
