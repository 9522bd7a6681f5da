package spelling

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"fold", "folds", 1}, {"kitten", "sitting", 3}, {"generat", "generate", 1},
		{"gneerate", "generate", 1}, {"ab", "ba", 1}, {"abcd", "badc", 2}, {"same", "same", 0},
	} {
		if d := Distance(c.a, c.b); d != c.want {
			t.Errorf("%q to %q: %d, expected %d", c.a, c.b, d, c.want)
		}
		if d := Distance(c.b, c.a); d != c.want {
			t.Errorf("%q to %q: %d, expected %d", c.b, c.a, d, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"features", "folds", "alphas"}
	if got := Nearest("fold", names, 2); got != "folds" {
		t.Errorf("%q, expected folds", got)
	}
	if got := Nearest("nothing", names, 2); got != "" {
		t.Errorf("%q, expected none", got)
	}
}
