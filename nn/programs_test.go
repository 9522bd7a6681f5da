package nn

import (
	"errors"
	"testing"
)

func TestPrograms(t *testing.T) {
	var c Programs[int]
	compiled := 0
	get := func(f func(int, func() (*Program, error)) (*Program, error), key int) *Program {
		t.Helper()
		p, err := f(key, func() (*Program, error) {
			compiled++
			return &Program{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	lent := get(c.Lend, 0)
	made := map[int]*Program{}
	for key := 1; key <= keptPrograms; key++ {
		made[key] = get(c.Get, key)
	}
	for key := keptPrograms; key >= 1; key-- { // 1 is the last used
		if get(c.Get, key) != made[key] {
			t.Errorf("%d is made twice", key)
		}
	}
	get(c.Get, 100)
	if want := keptPrograms + 2; compiled != want || len(c.kept) != keptPrograms+1 {
		t.Errorf("%d programs made, %d kept; want %d, %d", compiled, len(c.kept), want, keptPrograms+1)
	}
	if get(c.Get, 1) != made[1] {
		t.Error("one that was used lately is forgotten")
	}
	if get(c.Get, keptPrograms) == made[keptPrograms] {
		t.Error("the one not used for longest is kept")
	}
	for key := range 3 * keptPrograms {
		get(c.Get, 1000+key)
	}
	if get(c.Get, 0) != lent {
		t.Error("a lent program is forgotten")
	}
	if len(c.kept) != keptPrograms+1 {
		t.Errorf("%d programs kept, want %d", len(c.kept), keptPrograms+1)
	}

	if _, err := c.Get(-1, func() (*Program, error) { return nil, errors.New("no") }); err == nil || err.Error() != "no" {
		t.Errorf("error %v, want no", err)
	}
	if get(c.Get, -1) == nil {
		t.Error("a failure is kept")
	}
}
