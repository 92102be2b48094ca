package config

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden is what every secret prints as.
const hidden = "<secret>"

// Secret is a text that must not be seen. It prints as <secret> everywhere. While a
// configuration is decoded it holds the reference, env:NAME or file:PATH.
//
// The text is behind a pointer, since fmt calls no methods of a value in an
// unexported field of another, but prints its fields.
type Secret struct{ text *string }

// Secrets are the secrets of a target: the first signs first, the others are for rotation.
type Secrets []Secret

// HeaderValue is a text of at most 4096 bytes that may be a credential, and so
// prints as a Secret does. In a configuration it is the text itself, env:NAME or file:PATH.
type HeaderValue struct{ Secret }

// NewSecret returns a Secret that hides text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text itself, for nothing but a signature or a comparison.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String hides the text.
func (s Secret) String() string { return hidden }

// Format hides the text from every verb, including %d and %#v.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the text from every encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalScalar reads any text: the checks replace the reference by the secret.
func (s *Secret) UnmarshalScalar(text string, _ bool) error {
	*s = NewSecret(text)
	return nil
}

// ScalarOrList lets a single secret be written without brackets.
func (Secrets) ScalarOrList() {}
