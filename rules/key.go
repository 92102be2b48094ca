package rules

import (
	"strconv"
	"strings"
)

// Key names a journey: one participant in one survey instance.
type Key struct{ Instance, Participant string }

func newKey(survey, instance, participant string) Key {
	if instance == "" {
		instance = survey
	}
	return Key{Instance: instance, Participant: participant}
}

// ParseKey is the inverse of Key.Text.
func ParseKey(text string) Key {
	instance, participant, _ := strings.Cut(text, "\x00")
	return Key{Instance: instance, Participant: participant}
}

// Text returns the key as one text, different for every key.
func (k Key) Text() string { return k.Instance + "\x00" + k.Participant }

// IsName reports whether the key is that of a journey that only leads from a name of
// the participant to the participant.
func (k Key) IsName() bool { return k.Instance == cookieInstance || k.Instance == nameInstance }

// NamePrefixes returns how the texts of such keys begin.
func NamePrefixes() []string {
	return []string{Key{Instance: cookieInstance}.Text(), Key{Instance: nameInstance}.Text()}
}

// String returns the key without the participant, who must not be in logs.
func (k Key) String() string { return "instance " + k.Instance }

// trimZeros returns an id in its one form: ids of digits are numbers, so 077 is 77.
func trimZeros(id string) string {
	if n, err := strconv.ParseUint(id, 10, 63); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return id
}
