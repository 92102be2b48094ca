package config

import "github.com/sidehook/sidehook/rules/strictyaml"

// Forwarded is what happens to X-Forwarded-For on the way to the app.
type Forwarded string

// Ways to treat X-Forwarded-For.
const (
	// ForwardedPreserve adds nothing.
	ForwardedPreserve Forwarded = "preserve"
	// ForwardedAppend appends the address of the client.
	ForwardedAppend Forwarded = "append"
	// ForwardedReplace replaces the header with the address of the client, unless
	// the client is a trusted proxy.
	ForwardedReplace Forwarded = "replace"
)

var forwardedWords = []Forwarded{ForwardedPreserve, ForwardedAppend, ForwardedReplace}

// UnmarshalText reads preserve, append or replace.
func (f *Forwarded) UnmarshalText(text []byte) (err error) {
	*f, err = strictyaml.OneOf(string(text), forwardedWords...)
	return err
}
