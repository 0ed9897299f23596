package dovecot

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
)

// claimed is the name that a response of a mechanism has, "" if it has none: what does not follow the mechanism may be a
// secret.
func claimed(mechanism, response string) string {
	switch {
	case mechanism == "PLAIN": // RFC 4616 §2
		if parts := strings.SplitN(response, "\x00", 3); len(parts) == 3 {
			return parts[1]
		}
	case mechanism == "LOGIN":
		return response
	case mechanism == "CRAM-MD5": // RFC 2195 §2
		space := strings.LastIndexByte(response, ' ')
		if _, err := hex.DecodeString(response[space+1:]); err == nil && space > 0 && len(response)-space-1 == 2*md5.Size {
			return response[:space]
		}
	case strings.HasPrefix(mechanism, "SCRAM-"): // RFC 5802 §7
		return gs2(response, "n=")
	case mechanism == "OAUTHBEARER": // RFC 7628 §3.1
		header, _, _ := strings.Cut(response, "\x01")
		return gs2(header, "a=")
	case mechanism == "XOAUTH2":
		user, _, _ := strings.Cut(response, "\x01")
		if name, found := strings.CutPrefix(user, "user="); found { // or else it may be a token
			return name
		}
	case mechanism == "DIGEST-MD5": // RFC 2831 §2.1.2
		return digestName(response)
	}
	return ""
}

// gs2 returns a name among the attributes of a message that begins with a header of GS2 (RFC 5801 §4): "n,a=NAME,n=NAME,…".
func gs2(message, attribute string) string {
	for part := range strings.SplitSeq(message, ",") {
		if name, found := strings.CutPrefix(part, attribute); found {
			return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name)
		}
	}
	return ""
}

// digestName returns the value of username="…".
func digestName(response string) string {
	_, rest, found := strings.Cut(response, `username="`)
	if !found {
		return ""
	}
	var name strings.Builder
	for i := 0; i < len(rest) && rest[i] != '"'; i++ {
		if rest[i] == '\\' && i+1 < len(rest) {
			i++
		}
		name.WriteByte(rest[i])
	}
	return name.String()
}
