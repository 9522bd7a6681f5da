package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

var le = binary.LittleEndian

// Load reads the pickle that b begins with and returns its value and its length.
func Load(b []byte, h Host, budget *Budget) (value any, n int, err error) {
	m := &machine{in: b, host: h, budget: budget}
	op := 0
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			value, n, err = nil, 0, fmt.Errorf("pickle, byte %d: %w", op, f.error)
		}
	}()
	for !m.done {
		op = m.at
		m.step()
	}
	return m.result, m.at, nil
}

// failure is the panic by which an error of an opcode reaches Load.
type failure struct{ error }

// must ends Load where there is an error.
func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// fail ends Load with an error.
func fail(format string, args ...any) { must(fmt.Errorf(format, args...)) }

// machine is the state between two opcodes.
type machine struct {
	in     []byte
	at     int
	host   Host
	budget *Budget

	stack  []any
	marks  []int // heights of the stack
	memo   []any
	sparse map[int]any // memo entries far behind the others

	done   bool
	result any
}

var (
	errEnd   = errors.New("the pickle ends too early")
	errStack = errors.New("an opcode finds too few values")
)

// read returns the next n bytes, a view.
func (m *machine) read(n int) []byte {
	if n < 0 || n > len(m.in)-m.at {
		must(errEnd)
	}
	m.at += n
	return m.in[m.at-n : m.at : m.at]
}

// number reads n bytes as a little-endian unsigned integer.
func (m *machine) number(n int) int {
	var wide [8]byte
	copy(wide[:], m.read(n))
	v := le.Uint64(wide[:])
	if v > uint64(maxInt) {
		fail("length %d", v)
	}
	return int(v)
}

const maxInt = int(^uint(0) >> 1)

// counted reads a length of n bytes and that many bytes behind it.
func (m *machine) counted(n int) []byte { return m.read(m.number(n)) }

// line reads up to a line feed, which is left out.
func (m *machine) line() []byte {
	n := bytes.IndexByte(m.in[m.at:], '\n')
	if n < 0 {
		must(errEnd)
	}
	b := m.in[m.at : m.at+n : m.at+n]
	m.at += n + 1
	return b
}

// grow makes room for n more items and pays for it.
func (m *machine) grow(s []any, n int) []any {
	if n <= cap(s)-len(s) {
		return s
	}
	size := max(len(s)+n, len(s)+len(s)/2, 4)
	must(m.budget.Take(16 * size))
	t := make([]any, len(s), size)
	copy(t, s)
	return t
}

func (m *machine) push(v any) { m.stack = append(m.grow(m.stack, 1), v) }

// pushNew pushes a value that has taken n bytes to make.
func (m *machine) pushNew(v any, n int) {
	must(m.budget.Take(n))
	m.push(v)
}

func (m *machine) pushString(b []byte) {
	must(m.budget.Take(24 + len(b)))
	m.push(string(b))
}

// floor is the height below which an opcode must not reach.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() any {
	v := m.top()
	n := len(m.stack) - 1
	m.stack[n] = nil
	m.stack = m.stack[:n]
	return v
}

func (m *machine) top() any {
	if len(m.stack) <= m.floor() {
		must(errStack)
	}
	return m.stack[len(m.stack)-1]
}

// popMark removes the last mark and what lies above it; the items are valid until the next push.
func (m *machine) popMark() []any {
	if len(m.marks) == 0 {
		fail("an opcode finds no mark")
	}
	h := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[h:]
	m.stack = m.stack[:h]
	return items
}

// popItems removes the last n items; they are valid until the next push.
func (m *machine) popItems(n int) []any {
	h := len(m.stack) - n
	if h < m.floor() {
		must(errStack)
	}
	items := m.stack[h:]
	m.stack = m.stack[:h]
	return items
}

// tuple returns items in memory of their own.
func (m *machine) tuple(items []any) Tuple {
	must(m.budget.Take(24 + 16*len(items)))
	return Tuple(slices.Clone(items))
}

func (m *machine) put(i int, v any) {
	if _, ok := m.sparse[i]; ok { // also where the others have caught up with it
		m.sparse[i] = v
		return
	}
	switch {
	case i < 0:
		fail("memo %d", i)
	case i < len(m.memo):
		m.memo[i] = v
	case i == len(m.memo) || i < 64:
		m.memo = m.grow(m.memo, i+1-len(m.memo))
		m.memo = append(m.memo, make([]any, i+1-len(m.memo))...)
		m.memo[i] = v
	default:
		if m.sparse == nil {
			m.sparse = map[int]any{}
		}
		must(m.budget.Take(128))
		m.sparse[i] = v
	}
}

func (m *machine) get(i int) any {
	if v, ok := m.sparse[i]; ok {
		return v
	}
	if i < 0 || i >= len(m.memo) {
		fail("memo %d is empty", i)
	}
	return m.memo[i]
}

// extend appends to a list; what is appended to an Object is dropped.
func (m *machine) extend(to any, items []any) {
	switch to := to.(type) {
	case *List:
		to.Items = append(m.grow(to.Items, len(items)), items...)
	case *Set:
		to.Items = append(m.grow(to.Items, len(items)), items...)
	case *Object:
	default:
		fail("an item for a %s", Kind(to))
	}
}

// setItems adds to a dictionary; what is added to an Object is dropped.
func (m *machine) setItems(to any, items []any) {
	if len(items)%2 != 0 {
		fail("a key without a value")
	}
	switch to := to.(type) {
	case *Dict:
		to.Keys = m.grow(to.Keys, len(items)/2)
		to.Values = m.grow(to.Values, len(items)/2)
		for i := 0; i < len(items); i += 2 {
			to.Keys = append(to.Keys, items[i])
			to.Values = append(to.Values, items[i+1])
		}
	case *Object:
	default:
		fail("an item for a %s", Kind(to))
	}
}

// call pushes what the Host makes of a call.
func (m *machine) call(f any, args any) {
	g, ok := f.(Global)
	if !ok {
		must(&CallError{"calls", "a " + Kind(f)})
	}
	t, ok := args.(Tuple)
	if !ok {
		fail("arguments of %s: a %s, expected a tuple", Kind(g), Kind(args))
	}
	must(m.budget.Take(64 + 4*(len(g.Module)+len(g.Name))))
	v, err := m.host.Call(g, t)
	must(err)
	m.push(v)
}

// build gives the value on top its state.
func (m *machine) build() {
	state := m.pop()
	switch v := m.top().(type) {
	case *Dict, *List, *Object: // attributes of a dictionary, such as a state_dict's _metadata: not needed
	case Global:
		must(&CallError{"changes", v.String()})
	case nil, bool, int64, float64, string, Bytes, Big, Tuple, *Set:
		must(&CallError{"changes", "a " + Kind(v)})
	default:
		must(m.host.SetState(v, state))
	}
}

// global pushes the name of a class or function.
func (m *machine) global(module, name []byte) {
	const longest = 1 << 10
	if len(module) > longest || len(name) > longest {
		fail("the name of a class has %d bytes", len(module)+1+len(name))
	}
	must(m.budget.Take(64 + len(module) + len(name)))
	m.push(Global{string(module), string(name)})
}

// Kind says in a word what a value is.
func Kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, Big:
		return "integer"
	case float64:
		return "float"
	case string:
		return "string"
	case Bytes:
		return "bytes"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dictionary"
	case *Set:
		return "set"
	case Global:
		return printable(v.String())
	case *Object:
		return printable(v.Class.String())
	}
	return "value"
}
