package pickle

import (
	"fmt"
	"strconv"
)

// step executes one opcode.
func (m *machine) step() error {
	b, err := m.read(1)
	if err != nil {
		return err
	}
	switch op := b[0]; op {
	case '\x80': // PROTO
		v, err := m.number(1)
		if err == nil && v > 5 {
			return fmt.Errorf("protocol %d, the highest known is 5", v)
		}
		return err
	case '\x95': // FRAME
		n, err := m.number(8)
		if err == nil && n > len(m.in)-m.at {
			return errEnd
		}
		return err
	case '.': // STOP
		m.result, err = m.pop()
		m.done = true
		return err

	case '(': // MARK
		if len(m.marks) == cap(m.marks) {
			if err := m.budget.Take(32 + 24*len(m.marks)); err != nil {
				return err
			}
		}
		m.marks = append(m.marks, len(m.stack))
		return nil
	case '0': // POP
		if len(m.stack) == m.floor() && len(m.marks) > 0 {
			_, err = m.popMark()
			return err
		}
		_, err = m.pop()
		return err
	case '1': // POP_MARK
		_, err = m.popMark()
		return err
	case '2': // DUP
		v, err := m.top()
		if err != nil {
			return err
		}
		return m.push(v)

	case 'N': // NONE
		return m.push(nil)
	case '\x88', '\x89': // NEWTRUE, NEWFALSE
		return m.push(op == '\x88')
	case 'K', 'M': // BININT1, BININT2
		n, err := m.number(int(op-'K')/2 + 1)
		if err != nil {
			return err
		}
		return m.pushNew(int64(n), 8)
	case 'J': // BININT
		b, err := m.read(4)
		if err != nil {
			return err
		}
		return m.pushNew(int64(int32(le.Uint32(b))), 8)
	case '\x8a', '\x8b': // LONG1, LONG4
		b, err := m.counted(1 + 3*int(op-'\x8a'))
		if err != nil {
			return err
		}
		return m.pushNew(long(b), 24)
	case 'G': // BINFLOAT
		b, err := m.read(8)
		if err != nil {
			return err
		}
		return m.pushNew(float(b), 8)
	case 'I', 'L', 'F': // INT, LONG, FLOAT
		return m.textNumber(op)

	case 'X', 'T', '\x8d', '\x8c', 'U': // BINUNICODE, BINSTRING, BINUNICODE8, SHORT_BINUNICODE, SHORT_BINSTRING
		b, err := m.counted(lengthSize(op))
		if err != nil {
			return err
		}
		return m.pushString(b)
	case 'B', 'C', '\x8e', '\x96': // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
		b, err := m.counted(lengthSize(op))
		if err != nil {
			return err
		}
		return m.pushNew(Bytes(b), 24)
	case 'V', 'S': // UNICODE, STRING
		return m.textString(op)

	case 'p', 'g': // PUT, GET
		b, err := m.line()
		if err != nil {
			return err
		}
		i, err := strconv.Atoi(short(b))
		if err != nil {
			return fmt.Errorf("memo %.20q", b)
		}
		return m.memoize(op == 'p', i)
	case 'q', 'h': // BINPUT, BINGET
		i, err := m.number(1)
		if err != nil {
			return err
		}
		return m.memoize(op == 'q', i)
	case 'r', 'j': // LONG_BINPUT, LONG_BINGET
		i, err := m.number(4)
		if err != nil {
			return err
		}
		return m.memoize(op == 'r', i)
	case '\x94': // MEMOIZE
		return m.memoize(true, len(m.memo)+len(m.sparse))
	}
	return m.compose(b[0])
}

// lengthSize returns how many bytes give the length of a string.
func lengthSize(op byte) int {
	switch op {
	case 'X', 'T', 'B':
		return 4
	case '\x8d', '\x8e', '\x96':
		return 8
	}
	return 1
}

func (m *machine) memoize(put bool, i int) error {
	if !put {
		return m.get(i)
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	return m.put(i, v)
}

// compose executes the opcodes that make values of others.
func (m *machine) compose(op byte) error {
	switch op {
	case ')': // EMPTY_TUPLE
		return m.push(emptyTuple)
	case '\x85', '\x86', '\x87': // TUPLE1, TUPLE2, TUPLE3
		items, err := m.popItems(int(op-'\x85') + 1)
		if err != nil {
			return err
		}
		return m.pushTuple(items)
	case ']': // EMPTY_LIST
		return m.pushNew(&List{}, 24)
	case '}', '\x8f': // EMPTY_DICT, EMPTY_SET
		if op == '}' {
			return m.pushNew(&Dict{}, 48)
		}
		return m.pushNew(&Set{}, 24)
	case 't', 'l', '\x91', 'd': // TUPLE, LIST, FROZENSET, DICT
		return m.collect(op)

	case 'a', 's': // APPEND, SETITEM
		n := 1
		if op == 's' {
			n = 2
		}
		items, err := m.popItems(n)
		if err != nil {
			return err
		}
		return m.fill(op, items)
	case 'e', 'u', '\x90': // APPENDS, SETITEMS, ADDITEMS
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.fill(op, items)

	case 'c', 'i': // GLOBAL, INST
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		if op == 'c' {
			return m.global(module, name)
		}
		return m.instance(Global{short(module), short(name)})
	case '\x93': // STACK_GLOBAL
		t, err := m.popItems(2)
		if err != nil {
			return err
		}
		module, ok1 := t[0].(string)
		name, ok2 := t[1].(string)
		if !ok1 || !ok2 {
			return fmt.Errorf("the name of a class is a %s and a %s", Kind(t[0]), Kind(t[1]))
		}
		return m.global([]byte(module), []byte(name))
	case 'R', '\x81': // REDUCE, NEWOBJ
		t, err := m.popItems(2)
		if err != nil {
			return err
		}
		return m.call(t[0], t[1])
	case '\x92': // NEWOBJ_EX; the keyword arguments are dropped
		t, err := m.popItems(3)
		if err != nil {
			return err
		}
		return m.call(t[0], t[1])
	case 'o': // OBJ
		items, err := m.popMark()
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return errStack
		}
		args, err := m.tuple(items[1:])
		if err != nil {
			return err
		}
		return m.call(items[0], args)
	case 'b': // BUILD
		return m.build()

	case 'Q': // BINPERSID
		id, err := m.pop()
		if err != nil {
			return err
		}
		return m.persistent(id)
	case 'P': // PERSID
		b, err := m.line()
		if err != nil {
			return err
		}
		return m.persistent(short(b))
	case '\x82', '\x83', '\x84': // EXT1, EXT2, EXT4
		return &CallError{"calls", "a copyreg extension"}
	case '\x97', '\x98': // NEXT_BUFFER, READONLY_BUFFER
		return fmt.Errorf("buffers outside of the pickle")
	}
	return fmt.Errorf("unknown opcode %#x", op)
}

var emptyTuple any = Tuple{}

// collect makes a container of everything above the last mark.
func (m *machine) collect(op byte) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	switch op {
	case 't':
		return m.pushTuple(items)
	case 'd':
		d := &Dict{}
		if err := m.setItems(d, items); err != nil {
			return err
		}
		return m.pushNew(d, 48)
	case 'l':
		l := &List{}
		if err := m.extend(l, items); err != nil {
			return err
		}
		return m.pushNew(l, 24)
	}
	s := &Set{}
	if err := m.extend(s, items); err != nil {
		return err
	}
	return m.pushNew(s, 24)
}

// fill adds items to the container on top.
func (m *machine) fill(op byte, items []any) error {
	to, err := m.top()
	if err != nil {
		return err
	}
	if op == 's' || op == 'u' {
		return m.setItems(to, items)
	}
	return m.extend(to, items)
}

// instance executes INST: the arguments lie above the mark.
func (m *machine) instance(g Global) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	args, err := m.tuple(items)
	if err != nil {
		return err
	}
	return m.call(g, args)
}

func (m *machine) persistent(id any) error {
	if err := m.budget.Take(64); err != nil {
		return err
	}
	v, err := m.host.Persistent(id)
	if err != nil {
		return err
	}
	return m.push(v)
}
