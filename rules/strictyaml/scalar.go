package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
)

// ScalarUnmarshaler is a value that reads itself from a scalar and depends on
// how it was written: number reports whether it was a whole number without quotes.
type ScalarUnmarshaler interface {
	UnmarshalScalar(text string, number bool) error
}

// ShortUnmarshaler is a struct that may be written as a single text instead of a mapping.
type ShortUnmarshaler interface {
	UnmarshalShort(text string) error
}

// isShort reports whether a single text decodes into value, a struct.
func isShort(value reflect.Value) bool {
	_, ok := value.Addr().Interface().(ShortUnmarshaler)
	return ok
}

func (d *decoder) decodeShort(n *node, path string, value reflect.Value) {
	if err := value.Addr().Interface().(ShortUnmarshaler).UnmarshalShort(n.text); err != nil {
		d.Wrong(path, "%s", err)
	}
}

// isScalar reports whether a scalar decodes into value.
func isScalar(value reflect.Value) bool {
	switch value.Addr().Interface().(type) {
	case encoding.TextUnmarshaler, ScalarUnmarshaler:
		return true
	}
	return value.Kind() == reflect.String || value.Kind() == reflect.Bool ||
		value.CanInt() || value.CanUint() || value.CanFloat()
}

func (d *decoder) decodeScalar(n *node, path string, value reflect.Value) {
	if n.kind != scalarKind {
		d.Wrong(path, "must be a single value, not %s", n.kind)
		return
	}
	if err := setScalar(value, n.text, n.tag); err != nil {
		d.Wrong(path, "%s", err)
	}
}

// setScalar sets value from a scalar's text and YAML tag.
func setScalar(value reflect.Value, text, tag string) error {
	switch own := value.Addr().Interface().(type) {
	case ScalarUnmarshaler:
		return own.UnmarshalScalar(text, tag == "!!int")
	case encoding.TextUnmarshaler:
		return own.UnmarshalText([]byte(text))
	}
	switch {
	case value.Kind() == reflect.String:
		value.SetString(text)
		return nil
	case value.Kind() == reflect.Bool:
		if tag != "!!bool" || text != "true" && text != "false" {
			return fmt.Errorf("must be true or false, not %s%s", Quoted(text), oldBoolHint(text))
		}
		value.SetBool(text == "true")
		return nil
	case value.CanFloat():
		return setFloat(value, text, tag)
	default:
		return setInt(value, text, tag)
	}
}

func setFloat(value reflect.Value, text, tag string) error {
	number, err := strconv.ParseFloat(text, 64)
	finite := err == nil && number-number == 0
	if !finite || tag != "!!float" && tag != "!!int" {
		return fmt.Errorf("must be a number, not %s", Quoted(text))
	}
	value.SetFloat(number)
	return nil
}

// setInt reads decimal numbers only: in YAML 1.1, 010 is 8.
func setInt(value reflect.Value, text, tag string) error {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil || tag != "!!int" {
		return fmt.Errorf("must be a whole number, not %s", Quoted(text))
	}
	if value.CanInt() {
		value.SetInt(number)
		return nil
	}
	if number < 0 {
		return fmt.Errorf("must not be negative, but is %d", number)
	}
	value.SetUint(uint64(number))
	return nil
}
