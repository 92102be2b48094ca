// Package strictyaml decodes a YAML file into a struct and reports everything
// that is wrong with the file in one pass, each problem with its position:
//
//	config.yaml:12:5: rules[0].tos: unknown key; did you mean "to"?
//
// Decode is stricter than YAML: unknown and duplicate keys, keys without a
// value, tags, second documents and yes for true are problems. Numbers are decimal.
// It is also bounded: neither aliases nor merges can expand a small file into a
// large value.
//
//	source ─► YAML nodes ─► node tree ─► struct     Decode
//	                            │
//	                            └─► Document        positions and problems
//
// Decode returns a Document. A caller goes on to check the decoded values, adds
// its own problems with Document.Wrong, which finds their positions by path
// ("rules[0].to[1]", see KeyPath and ItemPath), and finally returns
// Document.Err. OneOf, Quoted and DidYouMean word such problems.
//
// Structs name their keys with `yaml:"name"` tags. A type takes part by methods:
//
//   - encoding.TextUnmarshaler or ScalarUnmarshaler reads a scalar and returns
//     an error such as "must be a duration such as 15s, not ...";
//   - SetDefaults, on a pointer, fills an item of a list or map, or what a pointer
//     leads to, before it is decoded;
//   - ShortUnmarshaler, on a struct, allows a single text instead of a mapping;
//   - ScalarOrList, on a list, allows a single item without brackets.
//
// The same structs describe a JSON Schema for editors: package schema, which only
// tests import, derives it from their types.
package strictyaml
