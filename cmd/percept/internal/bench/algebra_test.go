package bench

import (
	"strings"
	"testing"
)

func TestAlgebra(t *testing.T) {
	a := Algebra{Size: 0.01}
	for _, name := range a.Names() {
		op, err := a.Operation(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := op.Time(t.Context(), Options{Runs: 2})
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != name || len(r.Times) != 2 || r.FLOP <= 0 || !(r.Median >= r.Min && r.Min > 0) {
			t.Errorf("%+v", r)
		}
	}
}

func TestAlgebraServe(t *testing.T) {
	var out strings.Builder
	in := "run\nload gram-float16\nload cholesky-float64\nrun 2\nmemory\nquit\nrun\n"
	if err := (Algebra{Size: 0.01}).Serve(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	want := []string{"error ", "error gram-float16: expected one of gram-float32", "ok ", "ms ", "mib "}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("answers are %q", lines)
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("answer %d is %q, want %q…", i, lines[i], w)
		}
	}
}
