package study

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"percept/fmri/fit"
	"percept/fmri/internal/npy"
	"percept/fmri/nsd/prepare"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// A run's decoder predicts of the run's own responses, and of a folder that was prepared of the same tree with more regions, what
// the run predicted; with the truth it leaves the run's diagnosis.
func TestApplyARunsDecoder(t *testing.T) {
	dir, out := finished(t), t.TempDir()
	folder := filepath.Join(out, "prepared")
	if _, err := prepare.Run(t.Context(), filepath.Join(dir, "nsd"), folder, "test", prepare.Options{
		Subject: "subj01", ROIs: []string{"streams/parietal", "streams/ventral", "streams/lateral",
			"streams/early"}, ZScore: true}); err != nil {
		t.Fatal(err)
	}
	var run Diagnosis
	if err := readJSON(filepath.Join(dir, "diagnosis_subj01", "z.json"), &run); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"z", "c"} {
		q := ApplyRequest{Model: filepath.Join(dir, "decoders_subj01", name+tables), Part: "test", Truth: filepath.Join(dir, "features"),
			Version: "test"}
		decoded, err := table.OpenFeatures(filepath.Join(dir, "decoded_subj01"), name)
		want := values(t, decoded, err)
		for where, responses := range map[string]string{"own": filepath.Join(dir, "responses_subj01", "test"+tables),
			"prepared folder": folder} {
			q.Responses = responses
			to := filepath.Join(out, filepath.Base(responses), name+tables)
			d, err := Apply(t.Context(), to, q)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, where, err)
			}
			got, err := table.OpenFeatures(to, name)
			if have := values(t, got, err); !slices.Equal(have, want) || !slices.Equal(got.Rows.Images, decoded.Rows.Images) {
				t.Errorf("%s, %s: other predictions than the run's", name, where)
			}
			if got.Meta["decoder_sha256"] != decoded.Meta["decoder_sha256"] || got.Meta["subject"] != "subj01" ||
				got.Meta["model_sha256"] != decoded.Meta["model_sha256"] {
				t.Errorf("%s, %s: made of %v, expected as %v", name, where, got.Meta, decoded.Meta)
			}
			if d.Rows != 4 || d.UpToDate || d.Diagnosis.Decoder != decoded.Meta["decoder_sha256"] || d.PNG != filepath.Join(out,
				filepath.Base(responses), name+".diagnosis.png") {
				t.Errorf("%s, %s: %+v", name, where, d)
			}
			if x, y := d.Diagnosis.Diagnosis, run.Diagnosis; name == "z" && (!reflect.DeepEqual(x.PerImage, y.PerImage) ||
				!reflect.DeepEqual(x.Nearest, y.Nearest) || x.R2 != y.R2) {
				t.Errorf("%s: diagnosis %+v, the run's is %+v", where, x, y)
			}
			var written Diagnosis
			if err := readJSON(d.JSON, &written); err != nil || !reflect.DeepEqual(&written, d.Diagnosis) {
				t.Errorf("%s, %s: the file says %+v, %v", name, where, written, err)
			}
			q.Truth = ""
			if d, err = Apply(t.Context(), to, q); err != nil || !d.UpToDate || d.Diagnosis != nil {
				t.Errorf("%s, %s, again: %+v, %v", name, where, d, err)
			}
			q.Truth = filepath.Join(dir, "features")
		}
	}
}

// A decoder is not used on another brain, and nothing is left where it is refused.
// TestApplySaysWhatItWasFittedOn: predictions of images that the decoder knows are told apart, by image, wherever the rows lie.
func TestApplySaysWhatItWasFittedOn(t *testing.T) {
	dir, out := finished(t), t.TempDir()
	of := func(part string) *table.Table {
		t.Helper()
		x, err := table.OpenResponses(filepath.Join(dir, "responses_subj01", part+tables), "", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	train, test := of("train"), of("test")
	both := linalg.New[float32](test.Len()+3, test.Width())
	copy(both.Data, values(t, test, nil))
	copy(both.Data[test.Len()*test.Width():], values(t, train, nil)[:3*train.Width()])
	mixed, err := table.New("mixed", both, table.Rows{Images: slices.Concat(test.Rows.Images, train.Rows.Images[:3])}, test.Cols)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Write(t.Context(), filepath.Join(out, "mixed"+tables), mixed, nil); err != nil {
		t.Fatal(err)
	}
	if err := npy.Write(filepath.Join(out, "rows.npy"), []int{both.Rows, both.Cols}, both.Data); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		responses string
		want      int // −1: not known
	}{
		{filepath.Join(dir, "responses_subj01", "test"+tables), 0}, {filepath.Join(dir, "responses_subj01", "train"+tables), train.Len()},
		{filepath.Join(out, "mixed"+tables), 3}, {filepath.Join(out, "rows.npy"), -1},
	} {
		q := ApplyRequest{Model: filepath.Join(dir, "decoders_subj01", "z"+tables), Responses: c.responses}
		if c.want >= 0 {
			q.Truth = filepath.Join(dir, "features")
		} else if m, err := fit.Head(q.Model); err != nil || m.X.Voxels.N != both.Cols {
			continue // of a region
		}
		d, err := Apply(t.Context(), filepath.Join(t.TempDir(), "z"+tables), q)
		if err != nil {
			t.Fatal(err)
		}
		if c.want < 0 && d.TrainedOn != nil || c.want >= 0 && (d.TrainedOn == nil || *d.TrainedOn != c.want) {
			t.Errorf("%s: fitted on %v rows, expected %d", c.responses, d.TrainedOn, c.want)
		}
		if c.want < 0 {
			continue
		}
		var written Diagnosis
		if err := readJSON(d.JSON, &written); err != nil || written.TrainedOn == nil || *written.TrainedOn != c.want {
			t.Errorf("%s: its JSON has %v, %v; expected %d", c.responses, written.TrainedOn, err, c.want)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	dir, out := finished(t), t.TempDir()
	own, err := table.OpenResponses(filepath.Join(dir, "responses_subj01", "test"+tables), "", nil, "")
	if err != nil {
		t.Fatal(err)
	}
	responses := func(name string, change func(*table.Voxels)) string {
		t.Helper()
		v := *own.Cols.Voxels
		change(&v)
		x, err := table.New("test", linalg.Of(values(t, own, nil), own.Len(), own.Width()), own.Rows, table.Columns{Voxels: &v})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(out, name+tables)
		if _, err := table.Write(t.Context(), path, x, nil); err != nil {
			t.Fatal(err)
		}
		return path
	}
	z, test := filepath.Join(dir, "decoders_subj01", "z"+tables), filepath.Join(dir, "responses_subj01", "test"+tables)
	for _, c := range []struct {
		name string
		q    ApplyRequest
		want []string
	}{
		{"another subject", ApplyRequest{Model: z, Responses: responses("subj02", func(v *table.Voxels) { v.Subject = "subj02" })},
			[]string{"subj02.safetensors", "responses of subj02, expected subj01"}},
		{"another space", ApplyRequest{Model: z, Responses: responses("space", func(v *table.Voxels) { v.Space = "func1mm" })},
			[]string{"in space func1mm, expected func1pt8mm"}},
		{"another scale", ApplyRequest{Model: z, Responses: responses("scale", func(v *table.Voxels) { v.Scale = table.PercentSignal })},
			[]string{"percent signal change, expected z-scored"}},
		{"other voxels", ApplyRequest{Model: z, Responses: responses("voxels", func(v *table.Voxels) {
			v.XYZ = slices.Clone(v.XYZ)
			for i := range v.XYZ {
				v.XYZ[i]++
			}
		})}, []string{"lack", "of the decoder's"}},
		{"no decoder", ApplyRequest{Model: test, Responses: test}, []string{test, "expected"}},
		{"no responses", ApplyRequest{Model: z, Responses: filepath.Join(dir, "features", "z"+tables)},
			[]string{"holds z, expected responses"}},
		{"truth of another feature", ApplyRequest{Model: z, Responses: test, Truth: filepath.Join(dir, "features", "c"+tables)},
			[]string{"holds c, expected z"}},
		{"truth that is not there", ApplyRequest{Model: z, Responses: test, Truth: filepath.Join(out, "none")}, []string{filepath.Join(out,
			"none")}},
	} {
		c.q.Part = "test"
		to := filepath.Join(out, "decoded", "z"+tables)
		_, err := Apply(t.Context(), to, c.q)
		rejects(t, c.name, err, c.want...)
		if left, _ := filepath.Glob(to + "*"); left != nil {
			t.Errorf("%s: left behind %v", c.name, left)
		}
	}
}
