package rules

import (
	"strconv"
	"strings"
)

// friendlyIDs are the ways of naming survey instances, by the name that a profile
// selects one with: YAML cannot express how they are computed.
var friendlyIDs = map[string]friendlyID{
	"decsys": {name: decsysFriendlyID, isName: isDecsysFriendlyID, ids: decsysIDs},
	"":       {name: func(string, string) string { return "" }},
}

// friendlyID is a way of naming a survey instance in one short word.
type friendlyID struct {
	// name returns the word, empty for ids that have none.
	name func(survey, instance string) string
	// isName reports whether a word is such a name; it does not allocate. ids
	// returns what it names. Both are nil where there are no such names.
	isName func(word []byte) bool
	ids    func(word string) (survey, instance string)
}

// decsysFriendlyID returns Decsys' name of a survey instance (its
// Utilities/FriendlyId.cs): both numbers plus ten in base 35, separated by z, the
// one letter that base 35 does not use. Ids that are not numbers have no name.
func decsysFriendlyID(survey, instance string) string {
	s, errSurvey := strconv.ParseInt(survey, 10, 64)
	i, errInstance := strconv.ParseInt(instance, 10, 64)
	if errSurvey != nil || errInstance != nil || s < 0 || i < 0 {
		return ""
	}
	return strconv.FormatInt(s+10, 35) + "z" + strconv.FormatInt(i+10, 35)
}

// isDecsysFriendlyID is case-sensitive, as Decsys is.
func isDecsysFriendlyID(word []byte) bool {
	const longest = 25 // two int64
	separators := 0
	for _, c := range word {
		switch {
		case c == 'z':
			separators++
		case (c < '0' || c > '9') && (c < 'a' || c > 'y'):
			return false
		}
	}
	return separators == 1 && word[0] != 'z' && word[len(word)-1] != 'z' && len(word) <= longest
}

func decsysIDs(word string) (survey, instance string) {
	s, i, _ := strings.Cut(word, "z")
	return decsysNumber(s), decsysNumber(i)
}

// decsysNumber returns the id that a part of a name encodes, or the part itself if
// it encodes none.
func decsysNumber(part string) string {
	n, err := strconv.ParseInt(part, 35, 64)
	if err != nil || n < 10 {
		return part
	}
	return strconv.FormatInt(n-10, 10)
}
