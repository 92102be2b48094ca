// Package schema derives a JSON Schema for editors from the structs that strictyaml
// decodes into. Only tests import it: they compare the files in rules/schema with
// what it writes, and update them with -update.
//
//	struct types ──────────────┐
//	                           ├─► Writer ─► JSON Schema (draft-07)
//	manual.yaml ─► ReadManual ─┘
//
// A Writer takes the shape from the types, and the descriptions and defaults from a
// Manual: a YAML file that has every key with a comment. What neither of them says,
// such as a pattern or a range, is added by its Scalars and Narrowed.
package schema
