package config

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
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
	// minSecret is the shortest secret that is a key as it stands, in bytes.
	minSecret = 16
)

// generatedKey is the length of a key that is made, in bytes.
const generatedKey = 32

// GenerateSecret returns a new secret of Standard Webhooks: whsec_ and a random key.
func GenerateSecret() Secret {
	var key [generatedKey]byte
	_, _ = rand.Read(key[:]) // never fails
	return NewSecret(hmacPrefix + base64.StdEncoding.EncodeToString(key[:]))
}

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

// checkKey reports why nothing should be signed with a secret.
func (s Secret) checkKey() error {
	text := s.Reveal()
	encoded, isStandard := strings.CutPrefix(text, hmacPrefix)
	switch {
	case strings.HasPrefix(text, ed25519Prefix):
		if s.PrivateKey() == nil {
			return fmt.Errorf("must be %s followed by the base64 of an Ed25519 private key: 32 bytes, or 64 with the public key; make one with: echo \"whsk_$(openssl rand -base64 32)\"", ed25519Prefix)
		}
		return nil
	case isStandard:
		return checkHMACKey(encoded)
	case strings.HasPrefix(text, publicPrefix):
		return fmt.Errorf("is the public key that receivers verify with; sidehook signs with the private one, which begins with %s", ed25519Prefix)
	}
	for _, prefix := range []string{hmacPrefix, ed25519Prefix} {
		if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			return fmt.Errorf("must begin with %s in lower case", prefix)
		}
	}
	if len(text) < minSecret {
		return fmt.Errorf("must have at least %d characters, not %d; make one with: echo \"whsec_$(openssl rand -base64 32)\"", minSecret, len(text))
	}
	return nil
}

// checkHMACKey reports what is wrong with the part of a secret after whsec_.
func checkHMACKey(encoded string) error {
	key, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case err != nil && strings.ContainsAny(encoded, "-_"):
		return fmt.Errorf("must be %s followed by base64 with + and /, not with - and _", hmacPrefix)
	case err != nil && len(encoded)%4 != 0:
		return fmt.Errorf("must be %s followed by base64, whose length is a multiple of 4, not %d: some of it is missing, perhaps = at the end", hmacPrefix, len(encoded))
	case err != nil:
		return fmt.Errorf("must be %s followed by base64 (letters, digits, + and /, = at the end)", hmacPrefix)
	case len(key) < minKey || len(key) > maxKey:
		return fmt.Errorf("must be %s followed by the base64 of %d to %d bytes, not %d", hmacPrefix, minKey, maxKey, len(key))
	}
	return nil
}
