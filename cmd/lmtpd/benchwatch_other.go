//go:build !linux

package main

import "errors"

// processTree cannot tell.
func processTree(int) (treeUse, error) {
	return treeUse{}, errors.New("processes can be watched on Linux only, where /proc tells of them")
}
