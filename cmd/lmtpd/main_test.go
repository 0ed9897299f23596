package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMain makes the test binary lmtpd itself when it is called by that name: so it is the child process of a test that
// needs a daemon it can kill.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "lmtpd" {
		main()
	}
	os.Exit(m.Run())
}
