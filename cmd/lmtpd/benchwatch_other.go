//go:build !linux

package main

// processTree cannot tell.
func processTree(int) (treeUse, error) { return treeUse{}, errNoProc }
