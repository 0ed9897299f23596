package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMain makes the test binary lmtpd itself when it is called by one of its names: so it is the child process of a test that
// needs a daemon it can kill.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "lmtpd", "sendmail", "mailq", "newaliases":
		main()
	}
	os.Exit(m.Run())
}
