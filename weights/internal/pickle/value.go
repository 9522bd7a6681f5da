// Package pickle reads Python pickles of protocols 0 to 5 as plain data. It imports nothing, calls nothing and
// constructs nothing: where a pickle asks for that, a Host decides what stands there instead.
//
//	None bool int float     nil bool int64 float64; a Big where int64 is too small
//	str bytes bytearray     string Bytes Bytes
//	tuple list dict set     Tuple *List *Dict *Set
//	a class or function     Global
//	what was constructed    what the Host returns: a value of its own, any of the above, or an *Object
//
// Containers may hold one another in a circle, as in Python.
//
// All memory is taken from a Budget, so that a small file cannot ask for a large machine.
// Source: https://github.com/python/cpython/blob/main/Lib/pickletools.py.
package pickle

import (
	"fmt"
	"unicode"
)

// Bytes are bytes or a bytearray: a view of the pickle.
type Bytes []byte

// Big is an integer outside of int64: little-endian two's complement, a view of the pickle; nil where it was written as text.
type Big []byte

// Tuple is a tuple.
type Tuple []any

// List is a list.
type List struct{ Items []any }

// Dict is a dictionary in the order of its pickle; a key may occur twice, and the last counts.
type Dict struct{ Keys, Values []any }

// Get returns the value of a string key.
func (d *Dict) Get(key string) (any, bool) {
	for i := len(d.Keys) - 1; i >= 0; i-- {
		if s, ok := d.Keys[i].(string); ok && s == key {
			return d.Values[i], true
		}
	}
	return nil, false
}

// Set is a set or frozenset; an item may occur twice.
type Set struct{ Items []any }

// Global names a class or function. It is nothing but the name.
type Global struct{ Module, Name string }

func (g Global) String() string { return g.Module + "." + g.Name }

// Object stands for something of a class whose contents are of no use here; what the pickle puts in it is dropped.
type Object struct{ Class Global }

// A Host stands between a pickle and what it asks for.
type Host interface {
	// Call returns what stands for a call of f, or for an object of class f that is made with args.
	Call(f Global, args Tuple) (any, error)
	// Persistent returns what a persistent id stands for.
	Persistent(id any) (any, error)
	// SetState is told of state for a value of the Host's own.
	SetState(value, state any) error
}

// A CallError says that a pickle wants to run or change something.
type CallError struct {
	Verb   string // "calls", "changes"
	Callee string // dotted name
}

func (e *CallError) Error() string {
	return e.Verb + " " + printable(e.Callee) + ", which a file of weights does not need: refused"
}

// printable keeps a name of a file on one line of a message.
func printable(name string) string {
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Sprintf("%.200q", name)
		}
	}
	return name
}

// Budget is the memory that may still be taken, in bytes.
type Budget struct{ left, total int }

// NewBudget allows 16 bytes for each of a file, and what any file needs.
func NewBudget(fileSize int) *Budget {
	const slack = 1 << 20
	n := 16 * min(fileSize, (maxInt-slack)/16)
	return &Budget{n + slack, n + slack}
}

// Take uses up n bytes.
func (b *Budget) Take(n int) error {
	if n < 0 || n > b.left {
		return fmt.Errorf("its contents need more than %d bytes of memory: refused", b.total)
	}
	b.left -= n
	return nil
}
