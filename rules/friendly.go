package rules

import (
	"strconv"
	"strings"
)

// friendlyIDs are the short names of survey instances that a profile can ask for
// by name, since YAML can't say how they are computed.
var friendlyIDs = map[string]friendlyID{
	"decsys": {name: decsysFriendlyID, isName: isDecsysFriendlyID, ids: decsysIDs},
	"":       {name: func(string, string) string { return "" }},
}

// friendlyID is a way of naming a survey instance in one word.
type friendlyID struct {
	// name gives the word, empty for ids that have none.
	name func(survey, instance string) string
	// isName tells such a word without allocating, and ids gives what it names;
	// both are nil where there are no such words.
	isName func(word []byte) bool
	ids    func(word string) (survey, instance string)
}

// decsysFriendlyID names a survey instance as Decsys does (its
// Utilities/FriendlyId.cs): both numbers plus ten in base 35, which leaves z to
// stand between them. Ids that are no numbers have no name.
func decsysFriendlyID(survey, instance string) string {
	s, errSurvey := strconv.ParseInt(survey, 10, 64)
	i, errInstance := strconv.ParseInt(instance, 10, 64)
	if errSurvey != nil || errInstance != nil || s < 0 || i < 0 {
		return ""
	}
	return strconv.FormatInt(s+10, 35) + "z" + strconv.FormatInt(i+10, 35)
}

// isDecsysFriendlyID is as strict as Decsys, for which case matters.
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

// decsysNumber is the id that a part of a short name stands for; the part itself
// where it stands for none.
func decsysNumber(part string) string {
	n, err := strconv.ParseInt(part, 35, 64)
	if err != nil || n < 10 {
		return part
	}
	return strconv.FormatInt(n-10, 10)
}
