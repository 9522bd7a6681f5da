package study_test

import (
	"context"
	"fmt"

	"percept"
	"percept/fmri/study"
)

// The stages that a run would make in a new folder: without a fit to c there are no pictures.
func ExamplePlan() {
	c, err := study.Parse([]byte(`
data = "nsd"
subjects = ["subj01"]

[simulate]
own_images = 40
shared_images = 10

[decode]
folds = 5
alphas = [100, 1000, 10000]

[[fit]] # decoding
x = "responses/streams:early"
y = "z"

[[fit]] # encoding
name = "early"
x = "z"
y = "responses/streams:early"

[score]
bootstrap = 1000
permutations = 1000
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := percept.Embedded(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	stages, err := study.Plan("run", c, model, "1.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range stages {
		fmt.Println(s.Name, "→", s.Output)
	}
	// Output:
	// data → nsd
	// responses-subj01 → responses_subj01
	// features → features
	// fit-subj01 → decoders_subj01
	// decode-subj01 → decoded_subj01
	// diagnose-subj01 → diagnosis_subj01
	// report → report.html
}
