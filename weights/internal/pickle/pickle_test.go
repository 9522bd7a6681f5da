package pickle

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// python stands for a host that has a few harmless classes.
type python struct{}

func (python) Call(f Global, args Tuple) (any, error) {
	switch strings.Replace(f.String(), "__builtin__.", "builtins.", 1) {
	case "collections.OrderedDict":
		d := &Dict{}
		if len(args) > 0 {
			for _, pair := range args[0].(*List).Items {
				switch p := pair.(type) {
				case *List:
					d.Keys, d.Values = append(d.Keys, p.Items[0]), append(d.Values, p.Items[1])
				case Tuple:
					d.Keys, d.Values = append(d.Keys, p[0]), append(d.Values, p[1])
				}
			}
		}
		return d, nil
	case "builtins.set", "builtins.frozenset":
		return &Set{Items: args[0].(*List).Items}, nil
	case "_codecs.encode":
		b := Bytes{}
		for _, r := range args[0].(string) {
			b = append(b, byte(r))
		}
		return b, nil
	case "builtins.bytes":
		return Bytes{}, nil
	case "builtins.bytearray":
		if len(args) == 0 {
			return Bytes{}, nil
		}
		if s, ok := args[0].(string); ok { // protocols 0 to 2: text and its encoding
			return Bytes(s), nil
		}
		return args[0], nil
	case "copy_reg._reconstructor":
		return &Object{args[0].(Global)}, nil
	case "builtins.complex", "argparse.Namespace":
		return &Object{f}, nil
	}
	return nil, &CallError{"calls", f.String()}
}

func (python) Persistent(id any) (any, error) { return Tuple{"persistent", id}, nil }

func (python) SetState(value, _ any) error { return fmt.Errorf("state of a %s", Kind(value)) }

// text is what testdata/make_pickles.py writes for a value.
func text(v any) string {
	list := func(open string, items []any, close string) string {
		var parts []string
		for _, i := range items {
			parts = append(parts, text(i))
		}
		return open + strings.Join(parts, ",") + close
	}
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case int64:
		return fmt.Sprint(v)
	case Big:
		return "big"
	case float64:
		return strconv.FormatFloat(v, 'x', -1, 64)
	case string:
		b, _ := json.Marshal(v)
		return string(b)
	case Bytes:
		return "b" + hex.EncodeToString(v)
	case Tuple:
		return list("(", v, ")")
	case *List:
		return list("[", v.Items, "]")
	case *Set:
		return list("<", v.Items, ">")
	case *Dict:
		var parts []string
		for i, k := range v.Keys {
			parts = append(parts, text(k)+":"+text(v.Values[i]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case Global:
		return strings.Replace(v.String(), "__builtin__.", "builtins.", 1)
	case *Object:
		return "*" + strings.Replace(v.Class.String(), "__builtin__.", "builtins.", 1)
	}
	return fmt.Sprintf("%T", v)
}

// All protocols of Python give the values that Python pickled.
func TestLoadReadsPython(t *testing.T) {
	for _, c := range pythonPickles(t) {
		for protocol, p := range c.Pickles {
			v, n, err := Load(append(p[:len(p):len(p)], "and more"...), python{}, NewBudget(len(p)))
			if err != nil || n != len(p) {
				t.Errorf("%s, %s: %d of %d bytes, %v", c.Name, protocol, n, len(p), err)
				continue
			}
			if got := text(v); !sameText(got, c.Text) {
				t.Errorf("%s, %s: %.200s, want %.200s", c.Name, protocol, got, c.Text)
			}
		}
	}
}

type pythonPickle struct {
	Name, Text string
	Pickles    map[string]base64Bytes
}

type base64Bytes []byte

func (b *base64Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = base64.StdEncoding.DecodeString(string(text))
	return err
}

func pythonPickles(t testing.TB) []pythonPickle {
	b, err := os.ReadFile("testdata/pickles.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []pythonPickle
	if err := json.Unmarshal(b, &cases); err != nil || len(cases) < 10 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	return cases
}

// sameText compares descriptions; hexadecimal floats and escaped text are written in more than one way.
func sameText(got, want string) bool {
	if got == want {
		return true
	}
	var a, b []any
	if json.Unmarshal([]byte(got), &a) == nil && json.Unmarshal([]byte(want), &b) == nil {
		return fmt.Sprint(a) == fmt.Sprint(b)
	}
	x, y := strings.Split(strings.Trim(got, "[]"), ","), strings.Split(strings.Trim(want, "[]"), ",")
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		v, e1 := strconv.ParseFloat(x[i], 64)
		w, e2 := strconv.ParseFloat(y[i], 64)
		if e1 != nil || e2 != nil || math.Float64bits(v) != math.Float64bits(w) {
			return false
		}
	}
	return true
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ name, pickle, want string }{
		{"nothing", "", "byte 0: the pickle ends too early"},
		{"no stop", "N", "ends too early"},
		{"stop without value", ".", "too few values"},
		{"protocol 6", "\x80\x06N.", "protocol 6"},
		{"unknown opcode", "\xff", "unknown opcode 0xff"},
		{"mark missing", "Nt.", "no mark"},
		{"values behind a mark", "NN(\x86.", "too few values"},
		{"key without value", "}(Nu.", "a key without a value"},
		{"dictionary of three", "(NNNd.", "a key without a value"},
		{"append to None", "NNa.", "an item for a None"},
		{"item of a list", "]NNs.", "an item for a list"},
		{"empty memo", "h\x05.", "memo 5 is empty"},
		{"memo of text", "gx\n.", "memo \"x\""},
		{"negative memo", "Np-1\n.", "memo -1"},
		{"text that is cut", "X\x05\x00\x00\x00ab", "ends too early"},
		{"text of 2^64 bytes", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff", "length 18446744073709551615"},
		{"frame that is cut", "\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00N.", "ends too early"},
		{"integer of letters", "Iabc\n.", "integer \"abc\""},
		{"empty integer", "L\n.", "integer \"\""},
		{"float of letters", "Fabc\n.", "float \"abc\""},
		{"text without quotes", "Sabc\n.", "without quotes"},
		{"class named by numbers", "K\x01K\x02\x93.", "the name of a class is a integer"},
		{"long name", "c" + strings.Repeat("a", 2000) + "\nb\n.", "name of a class has"},
		{"arguments that are no tuple", "cbuiltins\nset\nNR.", "arguments of builtins.set: a None"},
		{"buffer outside", "\x80\x05\x97.", "buffers outside"},
		{"class missing", "(o.", "too few values"},
		{"name of two lines", "\x8c\x04os\nx\x8c\x06system\x93)R.", `calls "os\nx.system"`},
	}
	for _, tt := range tests {
		_, _, err := Load([]byte(tt.pickle), python{}, NewBudget(len(tt.pickle)))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// inOrder keeps the numbers 0 to n-1 under themselves.
func inOrder(n int) string {
	var b strings.Builder
	for i := range n {
		b.Write([]byte{'K', byte(i), 'q', byte(i), '0'})
	}
	return b.String()
}

func TestLoadOddities(t *testing.T) {
	tests := []struct{ name, pickle, want string }{
		{"DUP", "]2Na.", "[None]"},
		{"POP", "K\x01K\x020.", "1"},
		{"POP of a mark", "K\x01(0.", "1"},
		{"POP_MARK", "K\x01(NN1.", "1"},
		{"memo 10 before 0", "Nq\x0a0h\x0a.", "None"},
		{"memo far away", "K\x07r\xff\xff\xff\x7f0j\xff\xff\xff\x7f.", "7"},
		{"memo twice", "K\x01q\x00K\x02q\x000h\x00.", "2"},
		{"memo far away, then the others come near", "K\x01q\x64" + inOrder(200) + "h\x64.", "100"},
		{"persistent id of text", "Pabc\n.", `("persistent","abc")`},
		{"integer without L", "L5\n.", "5"},
		{"beyond float64", "F1e999\n.", "+Inf"},
		{"large integer as text", "L123456789012345678901234567890L\n.", "big"},
		{"LONG1 of no bytes", "\x8a\x00.", "0"},
		{"LONG4", "\x8b\x02\x00\x00\x00\x00\x80.", "-32768"},
		{"text of Python 2", `S'a\'\x41\n'` + "\n.", `"a'A\n"`},
		{"damaged escape", `V\u12` + "\n.", `"\\u12"`},
		{"instance", "(cargparse\nNamespace\no.", "*argparse.Namespace"},
		{"state of what is passed over", "cargparse\nNamespace\n)R}b.", "*argparse.Namespace"},
		{"items of what is passed over", "cargparse\nNamespace\n)R(NNu(NeNNsNa.", "*argparse.Namespace"},
	}
	for _, tt := range tests {
		v, _, err := Load([]byte(tt.pickle), python{}, NewBudget(len(tt.pickle)))
		if err != nil || text(v) != tt.want {
			t.Errorf("%s: %s, %v, want %s", tt.name, text(v), err, tt.want)
		}
	}
}

func TestDictGetsTheLast(t *testing.T) {
	d := &Dict{Keys: []any{"a", int64(1), "a"}, Values: []any{"first", "x", "last"}}
	if v, ok := d.Get("a"); !ok || v != "last" {
		t.Errorf("%v, %v", v, ok)
	}
	if _, ok := d.Get("1"); ok {
		t.Error("a number is found as text")
	}
}

func TestBudget(t *testing.T) {
	b := NewBudget(10)
	if err := b.Take(1 << 20); err != nil {
		t.Error(err)
	}
	if err := b.Take(161); err == nil {
		t.Error("more than the budget was given")
	}
	if err := b.Take(160); err != nil {
		t.Error(err)
	}
	if err := b.Take(-1); err == nil {
		t.Error("negative amount")
	}
	if err := NewBudget(math.MaxInt).Take(1 << 30); err != nil {
		t.Error(err)
	}
}

// FuzzLoad finds pickles that make the machine panic, run long or read past their end.
func FuzzLoad(f *testing.F) {
	for _, c := range pythonPickles(f) {
		for _, p := range c.Pickles {
			if len(p) < 2000 {
				f.Add([]byte(p))
			}
		}
	}
	f.Add([]byte("(cos\nsystem\nX\x04\x00\x00\x00trueo."))
	f.Add([]byte("ccopy_reg\n_reconstructor\n(cargparse\nNamespace\nc__builtin__\nobject\nNtR}b."))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, n, err := Load(b, careless{}, NewBudget(len(b)))
		if err != nil {
			if v != nil || n != 0 || bytes.ContainsAny([]byte(err.Error()), "\n\r") {
				t.Errorf("%v, %d, %q", v, n, err)
			}
			return
		}
		if n < 1 || n > len(b) || b[n-1] != '.' {
			t.Errorf("%d of %d bytes", n, len(b))
		}
	})
}

// careless accepts every call, so that the fuzzer gets behind it.
type careless struct{}

func (careless) Call(f Global, args Tuple) (any, error) {
	switch len(args) {
	case 0:
		return &Dict{}, nil
	case 1:
		return &List{}, nil
	}
	return &Object{f}, nil
}

func (careless) Persistent(id any) (any, error) { return id, nil }

func (careless) SetState(any, any) error { return nil }
