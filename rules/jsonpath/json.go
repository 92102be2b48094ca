package jsonpath

import (
	"errors"
	"fmt"

	"github.com/tidwall/gjson"
)

// maxDepth bounds the nesting of foreign JSON. gjson recurses, and an overflowing
// stack ends the process, so nothing deeper ever reaches it.
const maxDepth = 64

var (
	errTooDeep     = fmt.Errorf("is nested deeper than %d levels", maxDepth)
	errInvalidJSON = errors.New("is not valid JSON")
)

// CheckJSON reports why foreign bytes must not be handed to gjson: they are not
// JSON, or nested deeper than 64 levels. It returns nil for what is safe.
func CheckJSON(data []byte) error {
	if depth(data) > maxDepth {
		return errTooDeep
	}
	if !gjson.ValidBytes(data) {
		return errInvalidJSON
	}
	return nil
}

// depth is how deep the brackets of data nest, whether it is valid or not.
func depth(data []byte) int {
	deepest, level := 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '{', '[':
			level++
			deepest = max(deepest, level)
		case '}', ']':
			level--
		}
	}
	return deepest
}

// skipString returns the index of the quote that ends the string that begins at i,
// or more than the last index where it does not end.
func skipString[T ~string | ~[]byte](data T, i int) int {
	for i++; i < len(data) && data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i
}
