package send

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// signer makes the signatures of one target. Its keys go nowhere but into them.
type signer struct {
	// keys sign by Standard Webhooks, one signature each, in the order of the secrets.
	keys []key
	// decsys is the text of the first secret; nil where Decsys' header is not wanted.
	decsys []byte
}

// key signs with one secret: a private key where there is one, else by HMAC.
type key struct {
	hmac    []byte
	private ed25519.PrivateKey
}

// newSigner takes a target's live secrets. X-Decsys-Signature goes only to
// receivers of Decsys' format, since only they know it.
func newSigner(target config.Target) signer {
	var s signer
	for _, secret := range target.Secret {
		k := key{hmac: secret.SigningKey(), private: secret.PrivateKey()}
		s.keys = append(s.keys, k)
		if target.Format == config.FormatDecsys && s.decsys == nil && k.private == nil {
			s.decsys = []byte(secret.Reveal())
		}
	}
	return s
}

// standard is the webhook-signature header: a signature for each live secret,
// separated by spaces, so that a receiver can change its secret at any moment of
// a rotation. It signs the bytes "id.timestamp.body" (Standard Webhooks 1.0.0).
// Empty without a secret.
func (s signer) standard(id string, at time.Time, body []byte) string {
	prefix := id + "." + strconv.FormatInt(at.Unix(), 10) + "."
	signatures := make([]string, len(s.keys))
	for i, key := range s.keys {
		signatures[i] = key.sign(prefix, body)
	}
	return strings.Join(signatures, " ")
}

// sign makes a "v1," signature, or "v1a," with a private key, which needs the
// message in one piece.
func (k key) sign(prefix string, body []byte) string {
	if k.private != nil {
		message := append([]byte(prefix), body...)
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, message))
	}
	mac := hmac.New(sha256.New, k.hmac)
	mac.Write([]byte(prefix))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
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
