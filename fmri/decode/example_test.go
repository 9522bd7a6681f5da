package decode_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"percept/fmri/decode"
	"percept/fmri/ridge"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// A decoder of three features from the responses of forty voxels, kept in a file, and what its predictions are worth.
func ExampleDiagnose() {
	r := rand.New(rand.NewPCG(1, 2))
	features, responses := linalg.New[float32](250, 3), linalg.New[float32](250, 40)
	for i := range 250 {
		for j := range features.Row(i) {
			features.Row(i)[j] = float32(r.NormFloat64())
		}
		for v := range responses.Row(i) {
			responses.Row(i)[v] = features.Row(i)[v%3] + float32(2*r.NormFloat64())
		}
	}
	rows := func(m linalg.Matrix[float32], lo, hi int) linalg.Matrix[float32] {
		return m.Slice(lo, hi, 0, m.Cols)
	}
	ctx := context.Background()
	fit, err := decode.FitTargets(ctx, rows(responses, 0, 200), decode.TargetsOf(rows(features, 0, 200)), ridge.Options{MaxMemory: 1 << 30})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := &decode.Model{Model: fit, Feature: "size", Shape: []int{3}, Voxels: table.Voxels{N: 40, Subject: "subj01"}}
	m.Summarise()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "size.safetensors")
	if err := m.Write(path); err != nil {
		fmt.Println(err)
		return
	}
	if m, err = decode.ReadModel(path); err != nil {
		fmt.Println(err)
		return
	}
	decoded, err := m.Predict(rows(responses, 200, 250))
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := decode.Diagnose(rows(features, 200, 250), decoded, decode.DiagnoseOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("correlation over images %.2f, variance kept %.2f, %d of %d targets significant\n", d.Target.Mean, d.Variance.Total, d.Significant, d.Targets)
	// Output: correlation over images 0.90, variance kept 0.53, 3 of 3 targets significant
}
