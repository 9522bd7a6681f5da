package pickle

import (
	"encoding/binary"
	"math"
	"strconv"
)

// step executes one opcode.
func (m *machine) step() {
	switch op := m.read(1)[0]; op {
	case '\x80': // PROTO
		if v := m.number(1); v > 5 {
			fail("protocol %d, the highest known is 5", v)
		}
	case '\x95': // FRAME
		if n := m.number(8); n > len(m.in)-m.at {
			must(errEnd)
		}
	case '.': // STOP
		m.result = m.pop()
		m.done = true

	case '(': // MARK
		if len(m.marks) == cap(m.marks) {
			must(m.budget.Take(32 + 24*len(m.marks)))
		}
		m.marks = append(m.marks, len(m.stack))
	case '0': // POP
		if len(m.stack) == m.floor() && len(m.marks) > 0 {
			m.popMark()
		} else {
			m.pop()
		}
	case '1': // POP_MARK
		m.popMark()
	case '2': // DUP
		m.push(m.top())

	case 'N': // NONE
		m.push(nil)
	case '\x88', '\x89': // NEWTRUE, NEWFALSE
		m.push(op == '\x88')
	case 'K', 'M': // BININT1, BININT2
		m.pushNew(int64(m.number(int(op-'K')/2+1)), 8)
	case 'J': // BININT
		m.pushNew(int64(int32(le.Uint32(m.read(4)))), 8)
	case '\x8a', '\x8b': // LONG1, LONG4
		m.pushNew(long(m.counted(1+3*int(op-'\x8a'))), 24)
	case 'G': // BINFLOAT
		m.pushNew(math.Float64frombits(binary.BigEndian.Uint64(m.read(8))), 8)
	case 'I', 'L', 'F': // INT, LONG, FLOAT
		m.textNumber(op)

	case 'X', 'T', '\x8d', '\x8c', 'U': // BINUNICODE, BINSTRING, BINUNICODE8, SHORT_BINUNICODE, SHORT_BINSTRING
		m.pushString(m.counted(lengthSize(op)))
	case 'B', 'C', '\x8e', '\x96': // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
		m.pushNew(Bytes(m.counted(lengthSize(op))), 24)
	case 'V', 'S': // UNICODE, STRING
		m.textString(op)

	case 'p', 'g': // PUT, GET
		b := m.line()
		i, err := strconv.Atoi(short(b))
		if err != nil {
			fail("memo %.20q", b)
		}
		m.memoize(op == 'p', i)
	case 'q', 'h': // BINPUT, BINGET
		m.memoize(op == 'q', m.number(1))
	case 'r', 'j': // LONG_BINPUT, LONG_BINGET
		m.memoize(op == 'r', m.number(4))
	case '\x94': // MEMOIZE
		m.memoize(true, len(m.memo)+len(m.sparse))
	default:
		m.compose(op)
	}
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

func (m *machine) memoize(put bool, i int) {
	if put {
		m.put(i, m.top())
	} else {
		m.push(m.get(i))
	}
}

// compose executes the opcodes that make values of others.
func (m *machine) compose(op byte) {
	switch op {
	case ')': // EMPTY_TUPLE
		m.push(emptyTuple)
	case '\x85', '\x86', '\x87': // TUPLE1, TUPLE2, TUPLE3
		m.push(m.tuple(m.popItems(int(op-'\x85') + 1)))
	case ']': // EMPTY_LIST
		m.pushNew(&List{}, 24)
	case '}': // EMPTY_DICT
		m.pushNew(&Dict{}, 48)
	case '\x8f': // EMPTY_SET
		m.pushNew(&Set{}, 24)
	case 't': // TUPLE
		m.push(m.tuple(m.popMark()))
	case 'd': // DICT
		d := &Dict{}
		m.setItems(d, m.popMark())
		m.pushNew(d, 48)
	case 'l': // LIST
		l := &List{}
		m.extend(l, m.popMark())
		m.pushNew(l, 24)
	case '\x91': // FROZENSET
		s := &Set{}
		m.extend(s, m.popMark())
		m.pushNew(s, 24)

	case 'a': // APPEND
		items := m.popItems(1)
		m.extend(m.top(), items)
	case 's': // SETITEM
		items := m.popItems(2)
		m.setItems(m.top(), items)
	case 'e', '\x90': // APPENDS, ADDITEMS
		items := m.popMark()
		m.extend(m.top(), items)
	case 'u': // SETITEMS
		items := m.popMark()
		m.setItems(m.top(), items)

	case 'c': // GLOBAL
		module := m.line()
		m.global(module, m.line())
	case 'i': // INST; the arguments lie above the mark
		module := m.line()
		g := Global{short(module), short(m.line())}
		m.call(g, m.tuple(m.popMark()))
	case '\x93': // STACK_GLOBAL
		t := m.popItems(2)
		module, ok1 := t[0].(string)
		name, ok2 := t[1].(string)
		if !ok1 || !ok2 {
			fail("the name of a class is a %s and a %s", Kind(t[0]), Kind(t[1]))
		}
		m.global([]byte(module), []byte(name))
	case 'R', '\x81': // REDUCE, NEWOBJ
		t := m.popItems(2)
		m.call(t[0], t[1])
	case '\x92': // NEWOBJ_EX; the keyword arguments are dropped
		t := m.popItems(3)
		m.call(t[0], t[1])
	case 'o': // OBJ
		items := m.popMark()
		if len(items) == 0 {
			must(errStack)
		}
		m.call(items[0], m.tuple(items[1:]))
	case 'b': // BUILD
		m.build()

	case 'Q': // BINPERSID
		m.persistent(m.pop())
	case 'P': // PERSID
		m.persistent(short(m.line()))
	case '\x82', '\x83', '\x84': // EXT1, EXT2, EXT4
		must(&CallError{"calls", "a copyreg extension"})
	case '\x97', '\x98': // NEXT_BUFFER, READONLY_BUFFER
		fail("buffers outside of the pickle")
	default:
		fail("unknown opcode %#x", op)
	}
}

var emptyTuple any = Tuple{}

func (m *machine) persistent(id any) {
	must(m.budget.Take(64))
	v, err := m.host.Persistent(id)
	must(err)
	m.push(v)
}
