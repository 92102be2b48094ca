package config

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
)

// Forms of a secret in Standard Webhooks: the prefix says what the base64 after it
// encodes. Any other text is an HMAC key as it stands.
const (
	hmacPrefix    = "whsec_"
	ed25519Prefix = "whsk_"
	publicPrefix  = "whpk_"
	// Lengths of an HMAC key, in bytes, that Standard Webhooks allows.
	minKey, maxKey = 24, 64
)

// SigningKey returns the HMAC key: what whsec_ encodes, or the bytes of any other text.
func (s Secret) SigningKey() []byte {
	if encoded, found := strings.CutPrefix(s.Reveal(), hmacPrefix); found {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(s.Reveal())
}

// PrivateKey returns the Ed25519 key (RFC 8032) that whsk_ encodes as 32 secret
// bytes, optionally followed by the 32 of the public key. It is nil for any other text.
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
		return nil // the public key is another one's
	}
	return whole
}

// PublicKey returns what receivers verify the signatures of a whsk_ secret with, as
// whpk_ and base64. It is empty for any other secret.
func (s Secret) PublicKey() string {
	key := s.PrivateKey()
	if key == nil {
		return ""
	}
	public := key.Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public)
}

// checkKey reports what is wrong with a secret that has a prefix of Standard Webhooks.
func (s Secret) checkKey() error {
	text := s.Reveal()
	if strings.HasPrefix(text, ed25519Prefix) && s.PrivateKey() == nil {
		return fmt.Errorf("must be %s followed by the base64 of an Ed25519 private key: 32 bytes, or 64 with the public key; make one with: echo \"whsk_$(openssl rand -base64 32)\"", ed25519Prefix)
	}
	encoded, found := strings.CutPrefix(text, hmacPrefix)
	if !found {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("must be %s followed by base64 (letters, digits, + and /, = at the end)", hmacPrefix)
	}
	if len(key) < minKey || len(key) > maxKey {
		return fmt.Errorf("must be %s followed by the base64 of %d to %d bytes, not %d", hmacPrefix, minKey, maxKey, len(key))
	}
	return nil
}
