package receive

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// standardPrefix begins a secret whose key is what the base64 after it encodes.
const standardPrefix = "whsec_"

// errNoMatch is what is said when no common mistake explains a signature.
var errNoMatch = errors.New("the signature does not match: it was made with another secret, or the body was changed on the way")

// explain returns why no signature matches, by trying what receivers and senders
// commonly get wrong.
func (s *signed) explain(secret config.Secret) error {
	text := secret.Reveal()
	encoded, isStandard := strings.CutPrefix(text, standardPrefix)
	switch {
	case isStandard && s.matchesKey([]byte(text)):
		return fmt.Errorf("it was signed with the text of the secret; the key is what the base64 after %s encodes", standardPrefix)
	case isStandard && s.matchesKey([]byte(encoded)):
		return fmt.Errorf("it was signed with the base64 after %s as text; the key is what that encodes", standardPrefix)
	case !isStandard && s.matchesDecoded(text):
		return fmt.Errorf("it was signed with what the secret encodes in base64: write the secret with %s before it", standardPrefix)
	case strings.TrimSpace(text) != text && s.matches(config.NewSecret(strings.TrimSpace(text))):
		return errors.New("it matches the secret without the blanks around it")
	}
	if changed := s.rewritten(secret); changed != "" {
		return fmt.Errorf("the body was changed on the way: it matches %s; sign and verify the bytes as they came, not JSON that was parsed and written again", changed)
	}
	if s.decsys != "" && s.matchesDecsys(text) {
		return fmt.Errorf("%s matches, so that the secret and the body are right: %s or %s was changed on the way", headerDecsys, headerID, headerTimestamp)
	}
	return errNoMatch
}

func (s *signed) matchesDecoded(text string) bool {
	key, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(key) > 0 && s.matchesKey(key)
}

// rewritten returns how the body must be rewritten for its signature to match, empty
// if none of the usual ways is right.
func (s *signed) rewritten(secret config.Secret) string {
	var compact bytes.Buffer
	isJSON := json.Compact(&compact, s.body) == nil
	ways := []struct {
		name string
		body []byte
	}{{"without the blanks around it", bytes.TrimSpace(s.body)}}
	if isJSON {
		ways = append(ways, struct {
			name string
			body []byte
		}{"as JSON without blanks", compact.Bytes()})
		ways = append(ways, struct {
			name string
			body []byte
		}{"as indented JSON", jsonpath.Indent(s.body, "", "  ")})
	}
	for _, way := range ways {
		other := *s
		other.body = way.body
		if other.matches(secret) {
			return way.name
		}
	}
	return ""
}
