package nn

import "slices"

// keptPrograms is how many Programs a model keeps that nobody was lent: with more sizes in turn than that, each run
// compiles anew. The Program of a large model holds hundreds of megabytes.
const keptPrograms = 4

// Programs keeps the compiled Programs of one model by the sizes they are for. It forgets the one that was not used for
// longest, but none that was lent: that may have probes. The zero value is empty. One goroutine may use it at a time.
type Programs[K comparable] struct {
	kept []keptProgram[K] // the last used first
}

type keptProgram[K comparable] struct {
	key     K
	program *Program
	lent    bool
}

// Get returns the Program for key, made by compile unless it is there.
func (c *Programs[K]) Get(key K, compile func() (*Program, error)) (*Program, error) {
	return c.get(key, false, compile)
}

// Lend is Get for a Program that goes to the caller of a model, who may put probes on it: it is kept from then on.
func (c *Programs[K]) Lend(key K, compile func() (*Program, error)) (*Program, error) {
	return c.get(key, true, compile)
}

func (c *Programs[K]) get(key K, lend bool, compile func() (*Program, error)) (*Program, error) {
	i := 0
	for i < len(c.kept) && c.kept[i].key != key {
		i++
	}
	if i == len(c.kept) {
		c.shrink(keptPrograms - 1) // before compiling, so that the memory can be had again
		p, err := compile()
		if err != nil {
			return nil, err
		}
		i = len(c.kept)
		c.kept = append(c.kept, keptProgram[K]{key: key, program: p})
	}
	e := c.kept[i]
	e.lent = e.lent || lend
	copy(c.kept[1:i+1], c.kept[:i])
	c.kept[0] = e
	return e.program, nil
}

// shrink forgets all but the last used n of those that are not lent.
func (c *Programs[K]) shrink(n int) {
	c.kept = slices.DeleteFunc(c.kept, func(e keptProgram[K]) bool {
		if !e.lent {
			n--
		}
		return !e.lent && n < 0
	})
}
