package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

var le = binary.LittleEndian

// Load reads the pickle that b begins with and returns its value and its length.
func Load(b []byte, h Host, budget *Budget) (value any, n int, err error) {
	m := &machine{in: b, host: h, budget: budget}
	for !m.done {
		op := m.at
		if err := m.step(); err != nil {
			return nil, 0, fmt.Errorf("pickle, byte %d: %w", op, err)
		}
	}
	return m.result, m.at, nil
}

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
func (m *machine) read(n int) ([]byte, error) {
	if n < 0 || n > len(m.in)-m.at {
		return nil, errEnd
	}
	m.at += n
	return m.in[m.at-n : m.at : m.at], nil
}

// number reads n bytes as a little-endian unsigned integer.
func (m *machine) number(n int) (int, error) {
	b, err := m.read(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	v := le.Uint64(wide[:])
	if v > uint64(maxInt) {
		return 0, fmt.Errorf("length %d", v)
	}
	return int(v), nil
}

const maxInt = int(^uint(0) >> 1)

// counted reads a length of n bytes and that many bytes behind it.
func (m *machine) counted(n int) ([]byte, error) {
	size, err := m.number(n)
	if err != nil {
		return nil, err
	}
	return m.read(size)
}

// line reads up to a line feed, which is left out.
func (m *machine) line() ([]byte, error) {
	n := bytes.IndexByte(m.in[m.at:], '\n')
	if n < 0 {
		return nil, errEnd
	}
	b := m.in[m.at : m.at+n : m.at+n]
	m.at += n + 1
	return b, nil
}

// grow makes room for n more items and pays for it.
func (m *machine) grow(s []any, n int) ([]any, error) {
	if n <= cap(s)-len(s) {
		return s, nil
	}
	size := max(len(s)+n, len(s)+len(s)/2, 4)
	if err := m.budget.Take(16 * size); err != nil {
		return nil, err
	}
	t := make([]any, len(s), size)
	copy(t, s)
	return t, nil
}

func (m *machine) push(v any) (err error) {
	if m.stack, err = m.grow(m.stack, 1); err == nil {
		m.stack = append(m.stack, v)
	}
	return err
}

// pushNew pushes a value that has taken n bytes to make.
func (m *machine) pushNew(v any, n int) error {
	if err := m.budget.Take(n); err != nil {
		return err
	}
	return m.push(v)
}

func (m *machine) pushString(b []byte) error {
	if err := m.budget.Take(24 + len(b)); err != nil {
		return err
	}
	return m.push(string(b))
}

// floor is the height below which an opcode must not reach.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() (any, error) {
	n := len(m.stack) - 1
	if n < m.floor() {
		return nil, errStack
	}
	v := m.stack[n]
	m.stack[n] = nil
	m.stack = m.stack[:n]
	return v, nil
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errStack
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark removes the last mark and what lies above it; the items are valid until the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("an opcode finds no mark")
	}
	h := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[h:]
	m.stack = m.stack[:h]
	return items, nil
}

// popItems removes the last n items; they are valid until the next push.
func (m *machine) popItems(n int) ([]any, error) {
	h := len(m.stack) - n
	if h < m.floor() {
		return nil, errStack
	}
	items := m.stack[h:]
	m.stack = m.stack[:h]
	return items, nil
}

// tuple returns items in memory of their own.
func (m *machine) tuple(items []any) (Tuple, error) {
	if err := m.budget.Take(24 + 16*len(items)); err != nil {
		return nil, err
	}
	return Tuple(slices.Clone(items)), nil
}

func (m *machine) pushTuple(items []any) error {
	t, err := m.tuple(items)
	if err != nil {
		return err
	}
	return m.push(t)
}

func (m *machine) put(i int, v any) (err error) {
	if _, ok := m.sparse[i]; ok { // also where the others have caught up with it
		m.sparse[i] = v
		return nil
	}
	switch {
	case i < 0:
		return fmt.Errorf("memo %d", i)
	case i < len(m.memo):
		m.memo[i] = v
	case i == len(m.memo) || i < 64:
		if m.memo, err = m.grow(m.memo, i+1-len(m.memo)); err == nil {
			m.memo = append(m.memo, make([]any, i+1-len(m.memo))...)
			m.memo[i] = v
		}
	default:
		if m.sparse == nil {
			m.sparse = map[int]any{}
		}
		err = m.budget.Take(128)
		m.sparse[i] = v
	}
	return err
}

func (m *machine) get(i int) error {
	if v, ok := m.sparse[i]; ok {
		return m.push(v)
	}
	if i < 0 || i >= len(m.memo) {
		return fmt.Errorf("memo %d is empty", i)
	}
	return m.push(m.memo[i])
}

// extend appends to a list; what is appended to an Object is dropped.
func (m *machine) extend(to any, items []any) (err error) {
	switch to := to.(type) {
	case *List:
		if to.Items, err = m.grow(to.Items, len(items)); err == nil {
			to.Items = append(to.Items, items...)
		}
	case *Set:
		if to.Items, err = m.grow(to.Items, len(items)); err == nil {
			to.Items = append(to.Items, items...)
		}
	case *Object:
	default:
		return fmt.Errorf("an item for a %s", Kind(to))
	}
	return err
}

// setItems adds to a dictionary; what is added to an Object is dropped.
func (m *machine) setItems(to any, items []any) (err error) {
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	switch to := to.(type) {
	case *Dict:
		if to.Keys, err = m.grow(to.Keys, len(items)/2); err != nil {
			return err
		}
		if to.Values, err = m.grow(to.Values, len(items)/2); err != nil {
			return err
		}
		for i := 0; i < len(items); i += 2 {
			to.Keys = append(to.Keys, items[i])
			to.Values = append(to.Values, items[i+1])
		}
	case *Object:
	default:
		return fmt.Errorf("an item for a %s", Kind(to))
	}
	return nil
}

// call pushes what the Host makes of a call.
func (m *machine) call(f any, args any) error {
	g, ok := f.(Global)
	if !ok {
		return &CallError{"calls", "a " + Kind(f)}
	}
	t, ok := args.(Tuple)
	if !ok {
		return fmt.Errorf("arguments of %s: a %s, want a tuple", Kind(g), Kind(args))
	}
	if err := m.budget.Take(64 + 4*(len(g.Module)+len(g.Name))); err != nil {
		return err
	}
	v, err := m.host.Call(g, t)
	if err != nil {
		return err
	}
	return m.push(v)
}

// build gives the value on top its state.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *Dict, *List, *Object: // attributes of a dictionary, such as a state_dict's _metadata: not needed
		return nil
	case Global:
		return &CallError{"changes", v.String()}
	case nil, bool, int64, float64, string, Bytes, Big, Tuple, *Set:
		return &CallError{"changes", "a " + Kind(v)}
	}
	return m.host.SetState(v, state)
}

// global pushes the name of a class or function.
func (m *machine) global(module, name []byte) error {
	const longest = 1 << 10
	if len(module) > longest || len(name) > longest {
		return fmt.Errorf("the name of a class has %d bytes", len(module)+1+len(name))
	}
	if err := m.budget.Take(64 + len(module) + len(name)); err != nil {
		return err
	}
	return m.push(Global{string(module), string(name)})
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

func float(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }
