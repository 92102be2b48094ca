package config

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden is what a secret prints as, wherever it is printed.
const hidden = "<secret>"

// Secret is a text that must not be seen. It prints as <secret> everywhere.
//
// The text is behind a pointer, since fmt asks no method of a value in an
// unexported field of something else, and prints what is in it.
type Secret struct{ text *string }

// Secrets are the live secrets of a target: the first signs first, the rest are for rotation.
type Secrets []Secret

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text itself. It must go nowhere but into a signature or a comparison.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String hides the text.
func (s Secret) String() string { return hidden }

// Format hides the text from every verb, %d and %#v too.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the text from every encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalScalar keeps the reference until sources.secret gets what it refers to.
func (s *Secret) UnmarshalScalar(text string, _ bool) error {
	*s = NewSecret(text)
	return nil
}

func (Secrets) ScalarOrList() {}
