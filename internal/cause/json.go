package cause

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// OfJSON is what is wrong with a JSON text, in one short line without Go's types. Other errors stay what they are, but for
// the package's name.
func OfJSON(err error) error {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends too early")
	case errors.As(err, &wrong):
		return fmt.Errorf("%s is %s, expected %s", short(cmp.Or(wrong.Field, "it")), short(wrong.Value), kind(wrong.Type))
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: %s", syntax.Offset, syntax)
	}
	return errors.New(short(strings.TrimPrefix(err.Error(), "json: ")))
}

func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number from 0 on"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}

// longest is how much of a text a message repeats: a number may have a million digits.
const longest = 60

func short(s string) string {
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return s
}
