package jsonpath_test

import (
	"fmt"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// A key that was sent twice, once escaped, is hidden twice.
func ExampleReplace() {
	answer := []byte(`{"address": {"street": "Main St 1", "str\u0065et": "again", "town": "Fez"}}`)
	path, err := jsonpath.ParseAnswerPath("address.street")
	if err != nil {
		fmt.Println(err)
		return
	}
	hide := func([]byte) []byte { return []byte("null") }
	fmt.Printf("%s\n", jsonpath.Replace(answer, []jsonpath.Edit{{Path: path, With: hide}}))
	// Output: {"address": {"street": null, "str\u0065et": null, "town": "Fez"}}
}

func ExampleCheckPath() {
	fmt.Println("a path", jsonpath.CheckPath("page..id"))
	// Output: a path has an empty part; write a.b, with \. for a dot in a name
}
