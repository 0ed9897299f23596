package certificate

import (
	"crypto/x509"
	"slices"
	"time"
)

// Leaves returns the certificates in the order of the pairs.
func (s *Store) Leaves() []*x509.Certificate {
	return slices.Clone(s.current.Load().leaves)
}

// NextExpiry is when the first of the certificates expires.
func (s *Store) NextExpiry() time.Time {
	leaves := s.current.Load().leaves
	first := leaves[0].NotAfter
	for _, leaf := range leaves[1:] {
		if leaf.NotAfter.Before(first) {
			first = leaf.NotAfter
		}
	}
	return first
}
