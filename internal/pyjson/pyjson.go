// Package pyjson reads JSON as Python's json module writes it: with Infinity, -Infinity and NaN for numbers. The
// configuration of every DPM-Solver that diffusers saves has "lambda_min_clipped": -Infinity.
package pyjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// words are Python's names for numbers that JSON has none for, and what stands for them: of the same length, so that
// offsets in errors stay those of the file. Infinity becomes a number beyond every type, NaN a text, which no number
// is read from.
var words = []struct{ python, json string }{
	{"Infinity", "1e999999"}, // after a minus sign as well
	{"NaN", `"N"`},
}

// Standard returns data as encoding/json takes it, of the same length: Infinity, -Infinity and NaN outside of texts
// are replaced. It returns data itself where there are none.
func Standard(data []byte) []byte {
	out := data
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = textEnd(data, i)
		case 'I', 'N':
			for _, w := range words {
				if !bytes.HasPrefix(data[i:], []byte(w.python)) {
					continue
				}
				if &out[0] == &data[0] {
					out = bytes.Clone(data)
				}
				copy(out[i:], w.json)
				i += len(w.python) - 1
				break
			}
		}
	}
	return out
}

// textEnd returns where the text that begins at a quote ends: at its other quote, or at the end of data.
func textEnd(data []byte, i int) int {
	for i++; i < len(data) && data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i
}

// Members returns the members of an object, their values as they stand in data. Of members of one name the last counts, as
// in Python.
func Members(data []byte) (map[string]json.RawMessage, error) {
	standard := Standard(data)
	var members map[string]json.RawMessage
	if err := json.Unmarshal(standard, &members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, errors.New("it is null, expected an object")
	}
	d := json.NewDecoder(bytes.NewReader(standard))
	if _, err := d.Token(); err != nil { // the opening brace
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		end := d.InputOffset()
		members[name.(string)] = bytes.Clone(data[end-int64(len(value)) : end])
	}
	return members, nil
}

// Float reads a number of Members: also Infinity, -Infinity, NaN and, as Python does, one beyond float64, which is
// infinite.
func Float(value json.RawMessage) (float64, error) {
	text := string(value)
	switch text {
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	case "NaN":
		return math.NaN(), nil
	}
	if text == "" || !strings.ContainsRune("-0123456789", rune(text[0])) {
		return 0, fmt.Errorf("%s is no number", text)
	}
	x, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return x, err
}
