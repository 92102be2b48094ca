package logs

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// digestSize is the length of a digest in log lines, in bytes.
const digestSize = 6

// Digest replaces ids in log lines, the same one by the same text. Its key is drawn at
// random and kept nowhere, so nobody can find out from old lines who was meant.
type Digest struct{ key [sha256.Size]byte }

// NewDigest returns a Digest with a key of its own.
func NewDigest() *Digest {
	d := &Digest{}
	_, _ = rand.Read(d.key[:]) // never fails
	return d
}

// Of returns the digest of an id, 12 hex digits.
func (d *Digest) Of(id string) string {
	mac := hmac.New(sha256.New, d.key[:])
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil)[:digestSize])
}
