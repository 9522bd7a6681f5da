package percept

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"percept/clip"
	"percept/weights"
	"percept/weights/packed"
)

// A text encoder as transformers 5.24 saves it, without "text_model." before its names, makes of ids what transformers does
// (tools/checkpoint/goldens.py); the bar is that of the other tests of this model.
func TestTextEncoderSavedToday(t *testing.T) {
	f, err := weights.OpenModel("testdata/saved/text_encoder", weights.ModelOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := os.ReadFile("testdata/saved/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		IDs    [][]int32 `json:"ids"`
		Hidden []float64 `json:"last_hidden_state"`
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	part := f.Parts[weights.TextEncoder]
	cfg, err := clip.TextConfigFromJSON(part.Config)
	if err != nil {
		t.Fatal(err)
	}
	model, err := clip.NewText(cfg, packed.New(part.Store, packed.Options{Name: "text", NoCache: true}))
	if err != nil {
		t.Fatal(err)
	}
	if err := part.Store.Check(); err != nil {
		t.Error(err)
	}
	got, err := model.Encode(t.Context(), want.IDs)
	if err != nil || len(got) != len(want.Hidden) {
		t.Fatalf("%d values, want %d: %v", len(got), len(want.Hidden), err)
	}
	diff, norm := 0.0, 0.0
	for i, w := range want.Hidden {
		d := float64(got[i]) - w
		diff, norm = diff+d*d, norm+w*w
	}
	if rel := math.Sqrt(diff / norm); !(rel <= 2e-6) {
		t.Errorf("relative difference %g", rel)
	}
}
