package strictyaml_test

import (
	"fmt"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// All problems are found in one pass: what Decode finds, and what the caller adds.
func ExampleDecode() {
	source := `
listne: :8080
colour: gren
retries: 11
`
	config := struct {
		Listen  string `yaml:"listen"`
		Colour  string `yaml:"colour"`
		Retries int    `yaml:"retries"`
	}{Listen: ":80"}

	document := strictyaml.Decode("config.yaml", []byte(source), &config)
	if _, err := strictyaml.OneOf(config.Colour, "red", "green", "blue"); err != nil {
		document.Wrong("colour", "%s", err)
	}
	if config.Retries > 10 {
		document.Wrong("retries", "must be at most 10, not %d", config.Retries)
	}
	fmt.Println(document.Err())
	// Output:
	// config.yaml:2:1: listne: unknown key; did you mean "listen"?
	// config.yaml:3:9: colour: must be red, green or blue, not "gren"; did you mean "green"?
	// config.yaml:4:10: retries: must be at most 10, not 11
}
