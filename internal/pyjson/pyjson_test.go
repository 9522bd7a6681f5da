package pyjson_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"percept/internal/pyjson"
)

func TestStandard(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{``, ``},
		{`{"a": 1}`, `{"a": 1}`},
		{`{"a": -Infinity, "b": [Infinity,NaN]}`, `{"a": -1e999999, "b": [1e999999,"N"]}`},
		{`{"Infinity": "-Infinity \" NaN", "b": NaN}`, `{"Infinity": "-Infinity \" NaN", "b": "N"}`},
		{`{"\\": NaN}`, `{"\\": "N"}`},
		{`"NaN`, `"NaN`}, // a text without an end
		{`NaNa`, `"N"a`},
		{`Infinit`, `Infinit`},
	} {
		got := pyjson.Standard([]byte(c.in))
		if string(got) != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

func TestMembers(t *testing.T) {
	got, err := pyjson.Members([]byte(" {\"a\": -Infinity,\"b\" : [1, NaN ],\n\"c\":\"x\", \"a\":2.5, \"d\": {\"e\": null}} "))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "2.5", "b": "[1, NaN ]", "c": `"x"`, "d": `{"e": null}`}
	if len(got) != len(want) {
		t.Errorf("%d members, want %d", len(got), len(want))
	}
	for name, value := range want {
		if string(got[name]) != value {
			t.Errorf("%s: %s, want %s", name, got[name], value)
		}
	}
	for _, bad := range []string{``, `null`, `[1]`, `{"a": Nan}`, `{"a": +Infinity}`, `{"a": 1} x`, `{"a": 1,}`} {
		if m, err := pyjson.Members([]byte(bad)); err == nil {
			t.Errorf("%s: %v, expected an error", bad, m)
		}
	}
}

func TestFloat(t *testing.T) {
	for text, want := range map[string]float64{
		"1": 1, "-2.5e3": -2500, "Infinity": math.Inf(1), "-Infinity": math.Inf(-1), "1e999": math.Inf(1), "-1e999": math.Inf(-1), "1e-999": 0,
	} {
		if got, err := pyjson.Float(json.RawMessage(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if got, err := pyjson.Float(json.RawMessage("NaN")); err != nil || !math.IsNaN(got) {
		t.Errorf("NaN: %v, %v", got, err)
	}
	for _, bad := range []string{"", "null", "true", `"1"`, "[1]", "inf", "nan"} {
		if got, err := pyjson.Float(json.RawMessage(bad)); err == nil {
			t.Errorf("%s: %v, expected an error", bad, got)
		}
	}
}

func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"a": -Infinity, "b": [NaN, "NaN"]}`))
	f.Add([]byte(`{"a\"": {"b": Infinity}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept := bytes.Clone(data)
		if got := pyjson.Standard(data); len(got) != len(data) || !bytes.Equal(data, kept) {
			t.Fatalf("%q became %q", kept, got)
		}
		members, err := pyjson.Members(data)
		if err != nil {
			return
		}
		for name, value := range members {
			if !json.Valid(pyjson.Standard(value)) || !bytes.Contains(data, value) {
				t.Fatalf("%q: %q", name, value)
			}
		}
	})
}
