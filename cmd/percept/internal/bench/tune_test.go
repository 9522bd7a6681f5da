package bench

import (
	"context"
	"strings"
	"testing"

	"percept/tensor"
)

// The table that Tune writes is one, with a measured form for every rule of the kernel set in use and the others as
// they were.
func TestTune(t *testing.T) {
	set := tensor.KernelSet()
	table, err := tensor.ParseForms("test", []byte(set+" 16 32 8 implicit\n"+set+" 8 16 4 winograd4\nother 16 16 8 winograd2\n"))
	if err != nil {
		t.Fatal(err)
	}
	tunings, err := Tune(context.Background(), table, 0, Options{Runs: 1})
	if err != nil {
		t.Fatal(err)
	}
	for form := tensor.Implicit; form <= tensor.Winograd4; form++ {
		if tunings[0].Millis[form] <= 0 || tunings[0].MiB[form] <= 0 {
			t.Errorf("%v: %g ms, %g MiB", form, tunings[0].Millis[form], tunings[0].MiB[form])
		}
		if best := tunings[0].Rule.Form; tunings[0].Millis[form] < tunings[0].Millis[best] {
			t.Errorf("%v was chosen, %v is faster: %v", best, form, tunings[0].Millis)
		}
	}
	if r := tunings[1]; r.Rule.Form != tensor.Implicit || r.Millis[tensor.Winograd4] != 0 {
		t.Errorf("8 channels fit implicit alone: %+v", r)
	}
	// At any price of memory the form without transformed weights is the best.
	dear, err := Tune(context.Background(), table, 1e9, Options{Runs: 1})
	if err != nil || dear[0].Rule.Form != tensor.Implicit {
		t.Errorf("%+v, %v", dear, err)
	}

	var b strings.Builder
	if err := WriteForms(&b, table, tunings, 0); err != nil {
		t.Fatal(err)
	}
	again, err := tensor.ParseForms("again", []byte(b.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	rules := again.Rules()
	if len(rules) != 3 || rules[0] != tunings[0].Rule || rules[1] != tunings[1].Rule || rules[2] != table.Rules()[2] {
		t.Errorf("read back %v", rules)
	}
	empty, err := tensor.ParseForms("empty", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Tune(context.Background(), empty, 0, Options{}); err == nil {
		t.Error("a table without rules was tuned")
	}
}
