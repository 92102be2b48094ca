package rules

import "strconv"

// friendlyIDs are the ways of naming a survey instance that a profile can ask
// for by name, since YAML can't say them.
var friendlyIDs = map[string]func(survey, instance string) string{
	"decsys": decsysFriendlyID,
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
