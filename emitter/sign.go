package emitter

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// signer makes the signatures of one target. Its keys go nowhere but into them.
type signer struct {
	// keys sign by Standard Webhooks, one signature each, in the order of the secrets.
	keys [][]byte
	// decsys is the text of the first secret; nil where Decsys' header is not wanted.
	decsys []byte
}

// newSigner takes a target's live secrets. X-Decsys-Signature goes only to
// receivers of Decsys' format, since only they know it.
func newSigner(target rules.Target) signer {
	var s signer
	for _, secret := range target.Secret {
		s.keys = append(s.keys, secret.SigningKey())
	}
	if target.Format == rules.FormatDecsys && len(target.Secret) > 0 {
		s.decsys = []byte(target.Secret[0].Reveal())
	}
	return s
}

// standard is the webhook-signature header: a "v1," signature for each live
// secret, separated by spaces, so that a receiver can change its secret at any
// moment of a rotation. It signs the bytes "id.timestamp.body" (Standard
// Webhooks 1.0.0). Empty without a secret.
func (s signer) standard(id string, at time.Time, body []byte) string {
	prefix := id + "." + strconv.FormatInt(at.Unix(), 10) + "."
	signatures := make([]string, len(s.keys))
	for i, key := range s.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(prefix))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}

// decsysHeader is X-Decsys-Signature as Decsys itself makes it: over the body
// alone, the secret's text being the key. Empty where it is not wanted.
func (s signer) decsysHeader(body []byte) string {
	if s.decsys == nil {
		return ""
	}
	mac := hmac.New(sha256.New, s.decsys)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
