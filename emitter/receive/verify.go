package receive

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// tolerance is how old a webhook-timestamp may be, or how far ahead (Standard
	// Webhooks, section "Verifying webhook authenticity").
	tolerance = 5 * time.Minute
	// publicPrefix begins a public key: the base64 of an Ed25519 key follows.
	publicPrefix = "whpk_"

	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
	headerDecsys    = "X-Decsys-Signature"
)

// signed is a webhook as it came.
type signed struct {
	id, timestamp, signatures, decsys string
	body                              []byte
}

func signedOf(header http.Header, body []byte) signed {
	return signed{header.Get(headerID), header.Get(headerTimestamp), header.Get(headerSignature), header.Get(headerDecsys), body}
}

// Verify returns nil if one of a webhook's signatures was made with secret and its
// timestamp is near now; else an error that says what is wrong, as far as that can
// be found out. secret is that of the target, or the public key whpk_ of a target
// that signs with Ed25519. A webhook that has X-Decsys-Signature alone, as Decsys
// itself sends it, is verified by that.
func Verify(header http.Header, body []byte, secret config.Secret, now time.Time) error {
	s := signedOf(header, body)
	if s.signatures == "" {
		return s.verifyDecsysAlone(secret)
	}
	switch {
	case s.id == "":
		return fmt.Errorf("the header %s is missing", headerID)
	case s.timestamp == "":
		return fmt.Errorf("the header %s is missing", headerTimestamp)
	case !s.matches(secret):
		return s.explain(secret)
	}
	return s.checkTimestamp(now)
}

func (s *signed) verifyDecsysAlone(secret config.Secret) error {
	switch {
	case s.decsys == "":
		return fmt.Errorf("it has no signature: neither %s nor %s", headerSignature, headerDecsys)
	case !s.matchesDecsys(secret.Reveal()):
		return fmt.Errorf("%s does not match: it is the base64 of the HMAC-SHA-256 of the body, with the text of the secret", headerDecsys)
	}
	return nil
}

// checkTimestamp returns an error for a webhook that may be replayed.
func (s *signed) checkTimestamp(now time.Time) error {
	seconds, err := strconv.ParseInt(s.timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is %q, not a number of seconds", headerTimestamp, s.timestamp)
	}
	age := now.Sub(time.Unix(seconds, 0)).Truncate(time.Second)
	switch {
	case age > tolerance:
		return fmt.Errorf("the signature matches, but %s is %v old: somebody may have replayed it, or a clock is wrong", headerTimestamp, age)
	case age < -tolerance:
		return fmt.Errorf("the signature matches, but %s is %v ahead: a clock is wrong", headerTimestamp, -age)
	}
	return nil
}

// matches reports whether a signature was made with secret.
func (s *signed) matches(secret config.Secret) bool {
	if encoded, isPublic := strings.CutPrefix(secret.Reveal(), publicPrefix); isPublic {
		key, err := base64.StdEncoding.DecodeString(encoded)
		return err == nil && len(key) == ed25519.PublicKeySize && s.matchesPublic(key)
	}
	if private := secret.PrivateKey(); private != nil {
		return s.matchesPublic(private.Public().(ed25519.PublicKey))
	}
	return s.matchesKey(secret.SigningKey())
}

// content is what is signed.
func (s *signed) content() []byte {
	return append([]byte(s.id+"."+s.timestamp+"."), s.body...)
}

func (s *signed) matchesPublic(key ed25519.PublicKey) bool {
	return s.hasSignature("v1a", func(signature []byte) bool { return ed25519.Verify(key, s.content(), signature) })
}

func (s *signed) matchesKey(key []byte) bool {
	want := mac(key, s.content())
	return s.hasSignature("v1", func(signature []byte) bool { return hmac.Equal(signature, want) })
}

// hasSignature reports whether is holds for one of the signatures of a version.
func (s *signed) hasSignature(version string, is func([]byte) bool) bool {
	for one := range strings.FieldsSeq(s.signatures) {
		has, encoded, _ := strings.Cut(one, ",")
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if has == version && err == nil && is(signature) {
			return true
		}
	}
	return false
}

func (s *signed) matchesDecsys(text string) bool {
	return hmac.Equal([]byte(s.decsys), []byte(base64.StdEncoding.EncodeToString(mac([]byte(text), s.body))))
}

func mac(key, content []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(content)
	return m.Sum(nil)
}
