package strictyaml

import "strconv"

// JSON returns the value of source as encoding/json would decode it if it were
// JSON: what a JSON Schema is asked about. Only the syntax is checked.
func JSON(file string, source []byte) (any, error) {
	document := newDocument(file)
	root := parseYAML(document, source)
	if err := document.Err(); err != nil {
		return nil, err
	}
	return jsonOf(root, map[*node]any{}), nil
}

// jsonOf converts a node; made has the nodes converted so far, since aliases share them.
func jsonOf(n *node, made map[*node]any) any {
	if value, found := made[n]; found {
		return value
	}
	var value any
	switch n.kind {
	case mappingKind:
		object := map[string]any{}
		for _, entry := range n.entries {
			object[entry.key] = jsonOf(entry.value, made)
		}
		value = object
	case listKind:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = jsonOf(item, made)
		}
		value = list
	case scalarKind:
		value = jsonOfScalar(n)
	}
	made[n] = value
	return value
}

func jsonOfScalar(n *node) any {
	number, err := strconv.ParseFloat(n.text, 64)
	finite := err == nil && number-number == 0
	switch {
	case n.tag == "!!bool":
		return n.text == "true"
	case finite && (n.tag == "!!int" || n.tag == "!!float"):
		return number
	}
	return n.text
}
