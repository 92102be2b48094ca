package config

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
)

// The forms of a secret by Standard Webhooks: the prefix tells what the base64
// after it is. Any other text is a key for HMAC as it stands.
const (
	hmacPrefix    = "whsec_"
	ed25519Prefix = "whsk_"
	publicPrefix  = "whpk_"
	// The lengths of a key for HMAC, in bytes, that Standard Webhooks allows.
	minKey, maxKey = 24, 64
)

// SigningKey returns the key for HMAC: what whsec_ encodes, or the bytes of any other text.
func (s Secret) SigningKey() []byte {
	if encoded, found := strings.CutPrefix(s.Reveal(), hmacPrefix); found {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(s.Reveal())
}

// PrivateKey returns the Ed25519 key (RFC 8032) that whsk_ encodes: its 32
// secret bytes, after which the 32 of its public key may stand. It is nil for any
// other text.
func (s Secret) PrivateKey() ed25519.PrivateKey {
	encoded, found := strings.CutPrefix(s.Reveal(), ed25519Prefix)
	if !found {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || (len(key) != ed25519.SeedSize && len(key) != ed25519.PrivateKeySize) {
		return nil
	}
	whole := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
	if !bytes.HasPrefix(whole, key) {
		return nil // the public key of another one
	}
	return whole
}

// PublicKey is what receivers verify a whsk_ secret's signatures with, as
// whpk_ and base64; empty for any other secret.
func (s Secret) PublicKey() string {
	key := s.PrivateKey()
	if key == nil {
		return ""
	}
	public := key.Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public)
}

// checkKey tells what is wrong with a secret that claims to be in a form of Standard Webhooks.
func (s Secret) checkKey() error {
	text := s.Reveal()
	if strings.HasPrefix(text, ed25519Prefix) && s.PrivateKey() == nil {
		return fmt.Errorf("must go on with base64 of an Ed25519 private key after %s: 32 bytes, or 64 with the public key; make one with: echo \"whsk_$(openssl rand -base64 32)\"", ed25519Prefix)
	}
	encoded, found := strings.CutPrefix(text, hmacPrefix)
	if !found {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("must go on with base64 after %s (letters, digits, + and /, = at the end)", hmacPrefix)
	}
	if len(key) < minKey || len(key) > maxKey {
		return fmt.Errorf("must hold %d to %d bytes in base64 after %s, but holds %d", minKey, maxKey, hmacPrefix, len(key))
	}
	return nil
}
