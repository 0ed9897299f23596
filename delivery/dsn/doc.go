// Package dsn writes delivery status notifications (RFC 3461, RFC 3464, RFC 6533).
package dsn
