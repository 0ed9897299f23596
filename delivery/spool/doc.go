// Package spool keeps submitted mail until it is where it is meant to be.
package spool
