// Package jsonpath makes paths into JSON, and JSON from strangers, safe to use
// with gjson.
//
// gjson takes any path and any bytes: a mistyped path silently finds nothing, and
// deeply nested input overflows the stack and ends the process. So whatever comes
// from outside is checked once, where it comes in:
//
//   - CheckPath checks a gjson path that somebody wrote into a profile or a rule,
//     and Prefixes shows how far such a path leads;
//   - CheckJSON checks bytes that a participant or an app sent.
//
// An AnswerPath is a simpler path into a participant's answer, for hiding a part
// of it. Unlike gjson it finds every member of a name, so that nobody can keep a
// value from being hidden by sending its key twice, or escaped. Replace edits such
// parts and leaves every other byte as it was sent:
//
//	path, err := jsonpath.ParseAnswerPath("address.street")
//	answer = jsonpath.Replace(answer, []jsonpath.Edit{{Path: path, With: hide}})
package jsonpath
