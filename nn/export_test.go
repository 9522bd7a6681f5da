package nn

import "testing"

// CompareWithTape runs p and gorgonia's TapeMachine on the same inputs, which must be set, and fails
// the test where any named node differs in a bit. It returns how many it compared.
func CompareWithTape(t *testing.T, p *Program) int {
	t.Helper()
	vm := tape(t, p)
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	nodes := 0
	if err := p.OnNode("**", func(path string, v Value) {
		nodes++
		same(t, path, v.Raw(), tapeValue(p.graph.names[path]))
	}); err != nil {
		t.Fatal(err)
	}
	run(t, p)
	return nodes
}
