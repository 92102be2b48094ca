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

// DecsysSignature is the name of the field in which Decsys signs its own webhooks.
const DecsysSignature = "X-Decsys-Signature"

// signer makes the signatures of one target.
type signer struct {
	// keys make the signatures of Standard Webhooks, one for each secret, in their order.
	keys []key
	// decsys is the key of X-Decsys-Signature, the text of the first secret; nil if that field is not sent.
	decsys []byte
}

// key signs with one secret: with an Ed25519 private key if it is one, else by HMAC.
type key struct {
	hmac    []byte
	private ed25519.PrivateKey
}

// newSigner returns the signer of a target's live secrets. X-Decsys-Signature goes
// only to receivers of Decsys' format: no others know it.
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

// standard returns the webhook-signature field: a signature for each live secret,
// separated by spaces, so that a receiver can change its secret at any moment of
// a rotation. The signed bytes are "id.timestamp.body" (Standard Webhooks 1.0.0,
// section "Signature scheme"). It is empty without a secret.
func (s signer) standard(id string, at time.Time, body []byte) string {
	prefix := id + "." + strconv.FormatInt(at.Unix(), 10) + "."
	signatures := make([]string, len(s.keys))
	for i, key := range s.keys {
		signatures[i] = key.sign(prefix, body)
	}
	return strings.Join(signatures, " ")
}

// sign returns a "v1," signature (HMAC-SHA256), or "v1a," (Ed25519) with a private
// key, which needs the message in one piece.
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

// decsysHeader returns the X-Decsys-Signature field as Decsys makes it: the base64
// of HMAC-SHA256 over the body alone, keyed with the secret's text. It is empty if
// the field is not sent.
func (s signer) decsysHeader(body []byte) string {
	if s.decsys == nil {
		return ""
	}
	mac := hmac.New(sha256.New, s.decsys)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
