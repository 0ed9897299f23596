//go:build !cgo

package sqldb

// resultOf finds nothing: without cgo there is no SQLite, and opening a database is an error.
func resultOf(error) (result, bool) { return result{}, false }
