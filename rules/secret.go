package rules

import "log/slog"

// hidden is what a secret prints as, wherever it is printed.
const hidden = "<secret>"

// Secret is a text that must not be seen. It prints as <secret> everywhere.
type Secret struct{ text string }

// Secrets are the live secrets of a target: the first signs first, the rest are for rotation.
type Secrets []Secret

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the text itself. It must go nowhere but into a signature or a comparison.
func (s Secret) Reveal() string { return s.text }

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// String hides the text.
func (s Secret) String() string { return hidden }

// GoString hides the text from %#v.
func (s Secret) GoString() string { return hidden }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the text from every encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
