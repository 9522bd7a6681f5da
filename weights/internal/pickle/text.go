package pickle

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"
)

// short returns text that is put into a message or a number: more than a kilobyte of it is of no use.
func short(b []byte) string { return string(b[:min(len(b), 1<<10)]) }

// long returns a little-endian two's complement integer.
func long(b []byte) any {
	if len(b) > 8 {
		return Big(b)
	}
	var wide [8]byte
	copy(wide[:], b)
	if len(b) > 0 && b[len(b)-1] >= 0x80 {
		for i := len(b); i < 8; i++ {
			wide[i] = 0xFF
		}
	}
	return int64(le.Uint64(wide[:]))
}

// textNumber reads the decimal numbers of protocol 0: INT, which also writes 00 and 01 for False and True, LONG, which
// may end in L, and FLOAT.
func (m *machine) textNumber(op byte) {
	b := m.line()
	if op == 'F' {
		x, err := strconv.ParseFloat(short(b), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			fail("float %.20q", b)
		}
		m.pushNew(x, 8)
		return
	}
	if op == 'I' && (string(b) == "00" || string(b) == "01") {
		m.push(b[1] == '1')
		return
	}
	if op == 'L' {
		b = bytes.TrimSuffix(b, []byte("L"))
	}
	n, err := strconv.ParseInt(short(b), 10, 64)
	if err == nil {
		m.pushNew(n, 8)
		return
	}
	digits := b
	if len(digits) > 1 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(bytes.Trim(digits, "0123456789")) > 0 {
		fail("integer %.20q", b)
	}
	m.pushNew(Big(nil), 24)
}

// textString reads the strings of protocol 0: UNICODE with \uXXXX and \UXXXXXXXX in Latin-1, STRING as Python 2 prints it.
func (m *machine) textString(op byte) {
	b := m.line()
	must(m.budget.Take(4 * len(b))) // of the buffer; Latin-1 becomes twice as long
	if op == 'V' {
		m.pushString(unescape(b, true))
		return
	}
	if len(b) < 2 || b[0] != b[len(b)-1] || b[0] != '\'' && b[0] != '"' {
		fail("string %.20q without quotes", b)
	}
	m.pushString(unescape(b[1:len(b)-1], false))
}

// unescape replaces escape sequences: \u and \U in Latin-1 text, or those of a byte string. One that is damaged stays.
func unescape(b []byte, unicode bool) []byte {
	out := make([]byte, 0, 2*len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			if unicode {
				out = utf8.AppendRune(out, rune(b[i]))
			} else {
				out = append(out, b[i])
			}
			continue
		}
		digits := map[byte]int{'u': 4, 'U': 8}[b[i+1]]
		if !unicode {
			if at := bytes.IndexByte(escapes, b[i+1]); at >= 0 {
				out = append(out, escaped[at])
				i++
				continue
			}
			digits = map[byte]int{'x': 2}[b[i+1]]
		}
		if digits > 0 && i+2+digits <= len(b) {
			if v, err := strconv.ParseUint(string(b[i+2:i+2+digits]), 16, 32); err == nil && v <= utf8.MaxRune {
				if unicode {
					out = utf8.AppendRune(out, rune(v))
				} else {
					out = append(out, byte(v))
				}
				i += 1 + digits
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

var escapes, escaped = []byte(`\'"nrtabfv`), []byte("\\'\"\n\r\t\a\b\f\v")
