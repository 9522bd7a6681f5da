package fit

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/matfile"
	"percept/fmri/metrics"
	"percept/fmri/ridge"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

func normal(r *rand.Rand, rows, columns int) linalg.Matrix[float32] {
	m := linalg.New[float32](rows, columns)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

// planted are features of images, and responses that are noisy linear images of them.
func planted(r *rand.Rand, rows, features, voxels int) (x, y linalg.Matrix[float32]) {
	y, w := normal(r, rows, features), normal(r, features, voxels)
	x = normal(r, rows, voxels)
	linalg.Mul(x, 1, y, w, 1)
	return x, y
}

// responses is a table of voxels on a grid, of images 3i.
func responses(t testing.TB, x linalg.Matrix[float32]) *table.Table {
	t.Helper()
	v := &table.Voxels{Subject: "subj03", Space: "func1pt8mm", Betas: "b2", Scale: table.PercentSignal, Volume: [3]int{9, 9, 9},
		Regions: []string{"early", "late"}}
	for i := range x.Cols {
		v.XYZ = append(v.XYZ, int32(i%9), int32(i/9), 4)
		v.Member = append(v.Member, 1, uint8(i%2))
	}
	return newTable(t, "train", x, table.Rows{Images: every(x.Rows, 3)}, table.Columns{Voxels: v})
}

func every(n, step int) []fmri.ImageID {
	ids := make([]fmri.ImageID, n)
	for i := range ids {
		ids[i] = fmri.ImageID(step * i)
	}
	return ids
}

func newTable(t testing.TB, name string, x linalg.Matrix[float32], rows table.Rows, cols table.Columns) *table.Table {
	t.Helper()
	made, err := table.New(name, x, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// feature is a table of images 3i, in another order than the responses.
func feature(t testing.TB, name string, y linalg.Matrix[float32], shape ...int) *table.Table {
	t.Helper()
	order := rand.New(rand.NewPCG(1, 1)).Perm(y.Rows)
	made, err := newTable(t, name, y, table.Rows{Images: every(y.Rows, 3)}, table.Columns{Shape: shape}).Take(order)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func matrix(t testing.TB, x *table.Table) linalg.Matrix[float32] {
	t.Helper()
	m, err := x.Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A fit of two tables is ridge's of the matrices that their images bring together, in both directions.
func TestFitIsRidgeOfTheJoinedRows(t *testing.T) {
	x, y := planted(rand.New(rand.NewPCG(6, 0)), 80, 6, 30)
	o := Options{Ridge: ridge.Options{Alphas: ridge.LogSpace(-1, 3, 5)}, Groups: NoGroups}
	for _, c := range []struct {
		name       string
		of, to     *table.Table
		x, y       linalg.Matrix[float32]
		from, made string
	}{
		{"decoding", responses(t, x), feature(t, "z", y, 2, 3), x, y, Responses, "z"},
		{"encoding", feature(t, "z", y, 2, 3), responses(t, x), y, x, "z", Responses},
	} {
		m, err := Fit(t.Context(), c.of, c.to, o)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		joined, _, err := table.Join(c.of, c.to)
		if err != nil {
			t.Fatal(err)
		}
		var rows []int // of the matrices, in the order of the joined rows
		for _, id := range joined.Rows.Images {
			rows = append(rows, int(id)/3)
		}
		want, err := ridge.FitCV(t.Context(), c.x.Take(rows), c.y.Take(rows), o.Ridge)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.Coef.Data, want.Coef.Data) || !slices.Equal(m.Intercept, want.Intercept) ||
			!slices.Equal(m.Alphas, want.Alphas) {
			t.Errorf("%s: not the fit of the joined rows", c.name)
		}
		if m.X.Name != c.from || m.Y.Name != c.made || !slices.Equal(m.Images, joined.Rows.Images) ||
			m.Options.Part != "train" && c.name == "decoding" {
			t.Errorf("%s: from %s to %s, %d images, part %q", c.name, m.X.Name, m.Y.Name, len(m.Images), m.Options.Part)
		}
		p, err := m.Predict(t.Context(), c.of)
		if err != nil {
			t.Fatal(err)
		}
		predicted, err := want.Predict(matrix(t, c.of))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(matrix(t, p).Data, predicted.Data) || !slices.Equal(p.Rows.Images, c.of.Rows.Images) ||
			!slices.Equal(p.Cols.Shape, c.to.Cols.Shape) ||
			(p.Cols.Voxels == nil) != (c.to.Cols.Voxels == nil) {
			t.Errorf("%s: the prediction is %s of %d images", c.name, p.Cols, p.Len())
		}
		s, chosen := m.Summary(), 0
		for _, p := range s.Penalties {
			chosen += p.Targets
		}
		if s.Feature != "z" || s.Voxels != 30 || s.Subject != "subj03" || s.Rows != 80 || chosen != c.y.Cols {
			t.Errorf("%s: summary %+v", c.name, s)
		}
	}
}

func TestFitRecoversWhatWasPlantedAndShufflingLosesIt(t *testing.T) {
	x, y := planted(rand.New(rand.NewPCG(3, 0)), 260, 6, 30)
	all, features := responses(t, x), feature(t, "z", y, 6)
	rows := func(lo, hi int) *table.Table {
		var which []int
		for i := lo; i < hi; i++ {
			which = append(which, i)
		}
		part, err := all.Take(which)
		if err != nil {
			t.Fatal(err)
		}
		return part
	}
	train, test := rows(0, 200), rows(200, 260)
	r := func(train *table.Table) float64 {
		m, err := Fit(t.Context(), train, features, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Predict(t.Context(), test)
		if err != nil {
			t.Fatal(err)
		}
		truth, err := features.ByImage(test.Rows.Images)
		if err != nil {
			t.Fatal(err)
		}
		a, b, sum := matrix(t, p), matrix(t, truth), 0.0
		for j := range a.Cols {
			u, v := make([]float64, a.Rows), make([]float64, a.Rows)
			for i := range a.Rows {
				u[i], v[i] = float64(a.Row(i)[j]), float64(b.Row(i)[j])
			}
			sum += metrics.Pearson(u, v)
		}
		return sum / float64(a.Cols)
	}
	if got := r(train); got < 0.9 {
		t.Errorf("planted: r is %.3f, want at least 0.9", got)
	}
	// One shuffle may correlate by accident, in either direction; the mean over many does not.
	const shuffles = 20
	mean := 0.0
	for seed := range uint64(shuffles) {
		mean += r(train.Shuffled(seed)) / shuffles
	}
	if math.Abs(mean) > 0.1 {
		t.Errorf("shuffled: mean r is %.3f, want 0", mean)
	}
}

// Repeats of an image are in one fold unless it is said otherwise; numbers of a file are groups as well.
func TestGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 0))
	x, y := planted(r, 40, 3, 20)
	trials := linalg.New[float32](120, 20)
	var rows table.Rows
	for i := range 120 {
		for j, v := range x.Row(i % 40) {
			trials.Row(i)[j] = v + float32(2*r.NormFloat64())
		}
		rows.Images = append(rows.Images, fmri.ImageID(3*(i%40)))
	}
	of := newTable(t, "train_trials", trials, rows, table.Columns{Voxels: &table.Voxels{}})
	to := feature(t, "z", y, 3)
	o := ridge.Options{Alphas: []float64{1, 10, 100}}
	score := func(opt Options) (float64, Description) {
		opt.Ridge = o
		m, err := Fit(t.Context(), of, to, opt)
		if err != nil {
			t.Fatal(err)
		}
		return m.CVScores[0], m.Options
	}
	whole, d := score(Options{})
	if d.Groups != ByImage {
		t.Errorf("groups are %q", d.Groups)
	}
	split, d := score(Options{Groups: NoGroups})
	if d.Groups != NoGroups || !(split > whole) {
		t.Errorf("with repeats in other folds the score is %v, without %v: want less", split, whole)
	}
	_, d = score(Options{Takagi: true})
	if d.Groups != NoGroups || d.Compat != "takagi" || d.Intercept || d.Standardise != "once" {
		t.Errorf("as published: %+v", d)
	}
	if _, err := Fit(t.Context(), of, to, Options{Groups: "none.npy"}); err == nil || !strings.Contains(err.Error(), "none.npy") {
		t.Errorf("error %v", err)
	}
}

// Targets of small units are fitted as well as others; the published rule for ties loses them, and it is said how many.
func TestUnitsOfTargets(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 0))
	x, y := planted(r, 60, 5, 20)
	for i := range y.Data {
		y.Data[i] *= 1e-6
	}
	var lines []string
	o := Options{Ridge: ridge.Options{Alphas: []float64{1e-6, 1, 1e6}}, Note: func(line string) { lines = append(lines, line) }}
	m, err := Fit(t.Context(), responses(t, x), feature(t, "z", y, 5), o)
	if err != nil {
		t.Fatal(err)
	}
	if m.Edge.High > 0 || len(lines) > 0 {
		t.Errorf("%d of 5 targets chose the largest penalty, notes %q, expected none", m.Edge.High, lines)
	}
	o.Takagi = true
	if m, err = Fit(t.Context(), responses(t, x), feature(t, "z", y, 5), o); err != nil {
		t.Fatal(err)
	}
	if m.Edge.High != 5 || len(lines) != 1 || !strings.Contains(lines[0], "5 of 5 targets of z") {
		t.Errorf("as published, %d of 5 targets chose the largest penalty, notes %q", m.Edge.High, lines)
	}
}

// In slabs the model is that of all targets, to rounding; and no slab takes more memory than was allowed.
func TestFitInSlabs(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	x, z := planted(r, 70, 6, 30)
	wide := normal(r, 70, 900)
	for i := range wide.Data {
		wide.Data[i] += z.Data[i/900*6+i%6]
	}
	of, to := responses(t, x), feature(t, "wide", wide, 900)
	o := Options{Ridge: ridge.Options{Alphas: ridge.LogSpace(-1, 3, 5)}}
	whole, err := Fit(t.Context(), of, to, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Ridge.Groups = nil
	least, _, err := o.Ridge.Memory(70, 30, 300)
	if err != nil {
		t.Fatal(err)
	}
	o.Ridge.MaxMemory = least + besides(70, 30, 300, 900) + to.InMemory()
	last, noted := 0, ""
	o.Note = func(line string) { noted = line }
	o.Ridge.Progress = func(done, total int) {
		if done < last || done > total {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	m, err := Fit(t.Context(), of, to, o)
	if err != nil {
		t.Fatal(err)
	}
	if last != 3*stepsOfSlab || m.Options.Slabs != 3 || !strings.Contains(noted,
		"900 targets do not fit into the memory together and are fitted in 3 parts") {
		t.Errorf("progress ended at %d, %d slabs, note %q", last, m.Options.Slabs, noted)
	}
	if m.Edge != whole.Edge || len(m.Alphas) != 900 || !reflect.DeepEqual(m.Alphas, whole.Alphas) {
		t.Errorf("edge %+v, want %+v", m.Edge, whole.Edge)
	}
	for i, v := range whole.Coef.Data {
		if math.Abs(float64(v-m.Coef.Data[i])) > 1e-5 {
			t.Fatalf("coefficient %d is %v, want %v", i, m.Coef.Data[i], v)
		}
	}
	for i, v := range whole.CVTable {
		if math.Abs(v-m.CVTable[i]) > 1e-9 {
			t.Fatalf("score %d is %v, want %v", i, m.CVTable[i], v)
		}
	}
}

func TestSlabsSayWhatWouldDo(t *testing.T) {
	o := ridge.Options{Alphas: ridge.LogSpace(-1, 3, 5), MaxMemory: 1000}
	if _, err := Slabs(70, 30, 900, o); err == nil || err.Error() != "fit: 1000 bytes of memory is too little for 70 rows of 30 columns and 900 targets, expected at least 1 MiB" {
		t.Errorf("error %v", err)
	}
	least, _, err := o.Memory(70, 30, 300)
	if err != nil {
		t.Fatal(err)
	}
	o.MaxMemory, o.Global = least+besides(70, 30, 300, 900), true
	if _, err := Slabs(70, 30, 900, o); err == nil || !strings.Contains(err.Error(), "one penalty of all 900 targets") {
		t.Errorf("error %v", err)
	}
	o.MaxMemory = -1
	if _, err := Slabs(70, 30, 900, o); err == nil {
		t.Error("a negative limit was taken")
	}
	// c of a subject of NSD: all at once below 8 GB, its training trials in slabs.
	o = ridge.Options{Alphas: ridge.LogSpace(1, 6, 11), MaxMemory: 6 << 30}
	for rows, want := range map[int]int{8859: 1, 24980: 7} {
		slabs, err := Slabs(rows, 7000, 59136, o)
		if err != nil || len(slabs) > want {
			t.Errorf("%d rows: %d slabs, %v, want at most %d", rows, len(slabs), err, want)
		}
		t.Logf("%d×7000 to 59136 targets in 6 GiB: %d slabs", rows, len(slabs))
	}
}

// Predict finds voxels by where they lie, and refuses what the model was not fitted on.
func TestPredictFindsItsVoxelsAndRefusesOthers(t *testing.T) {
	x, y := planted(rand.New(rand.NewPCG(8, 0)), 60, 4, 30)
	of, z := responses(t, x), feature(t, "z", y, 4)
	m, err := Fit(t.Context(), of, z, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Predict(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	order := rand.New(rand.NewPCG(2, 2)).Perm(30)
	mixed, err := of.Select(order)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Predict(t.Context(), mixed)
	if err != nil || !slices.Equal(matrix(t, got).Data, matrix(t, want).Data) {
		t.Errorf("voxels in another order: other predictions, %v", err)
	}
	fewer, err := of.Select(order[:29])
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(*table.Voxels)) *table.Table {
		v := *of
		voxels := *of.Cols.Voxels
		change(&voxels)
		v.Cols.Voxels = &voxels
		return &v
	}
	for _, c := range []struct {
		x    *table.Table
		want string
	}{
		{fewer, "lack 1 of the decoder's 30 voxels"},
		{changed(func(v *table.Voxels) { v.Subject = "subj01" }), "train: responses of subj01, expected subj03"},
		{changed(func(v *table.Voxels) { v.Scale = table.SessionScores }), "that are z-scored within sessions"},
		{z, "z: z of 4, expected responses of 30"},
	} {
		if _, err := m.Predict(t.Context(), c.x); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	encoder, err := Fit(t.Context(), z, of, Options{})
	if err != nil {
		t.Fatal(err)
	}
	other := *z
	other.Meta = map[string]string{"model_sha256": "b", "kernels": "avx2"}
	encoder.X.Meta = map[string]string{"model_sha256": "a", "kernels": "generic"}
	if _, err := encoder.Predict(t.Context(), &other); err == nil ||
		!strings.Contains(err.Error(), `made with model_sha256 "b", expected "a"`) {
		t.Errorf("error %v", err)
	}
	if err := m.Truth(newTable(t, "z", linalg.New[float32](3, 4), table.Rows{}, table.Columns{Shape: []int{2, 2}})); err == nil ||
		!strings.Contains(err.Error(), "z of 2×2, expected 4") {
		t.Errorf("error %v", err)
	}
}

func TestEdgeWarning(t *testing.T) {
	x, y := planted(rand.New(rand.NewPCG(9, 0)), 50, 4, 30)
	m, err := Fit(t.Context(), responses(t, x), feature(t, "z", y, 4), Options{Ridge: ridge.Options{Alphas: []float64{1e6, 1e7}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.EdgeWarning(); got != "of 4 targets of z 4 chose the smallest penalty, 1e+06: a wider grid may be better" {
		t.Errorf("warning %q", got)
	}
	m.Edge = ridge.Edge{}
	if got := m.EdgeWarning(); got != "" {
		t.Errorf("warning %q of no target at the edge", got)
	}
}

// A table that is a view of memory takes as much as what it is a view of, and the bound of a fit holds that as well.
func TestBoundHoldsWhatAViewKeeps(t *testing.T) {
	x, y := planted(rand.New(rand.NewPCG(12, 0)), 70, 900, 30)
	of, to := responses(t, x), newTable(t, "wide", y, table.Rows{Images: every(70, 3)}, table.Columns{})
	slabs := func(to *table.Table) int {
		t.Helper()
		o := Options{Ridge: ridge.Options{Alphas: []float64{1, 10}}}
		least, _, err := o.Ridge.Memory(70, 30, 300)
		if err != nil {
			t.Fatal(err)
		}
		o.Ridge.MaxMemory = least + besides(70, 30, 300, 900) + 4*70*900 - 1
		m, err := Fit(t.Context(), of, to, o)
		if err != nil {
			t.Fatal(err)
		}
		return m.Options.Slabs
	}
	if plain, view := slabs(to), slabs(feature(t, "wide", y, 900)); plain != 4 || view != plain {
		t.Errorf("%d slabs, of a view %d, want 4", plain, view)
	}
}

// Two arrays of one file, and two sets of columns beside one another, are not taken for one another.
func TestSaveTellsInputsApart(t *testing.T) {
	x, y := planted(rand.New(rand.NewPCG(13, 0)), 40, 3, 12)
	to := feature(t, "z", y, 3)
	of := responses(t, x)
	halves := &table.Voxels{Regions: []string{"even", "odd"}}
	for i := range 12 {
		halves.Member = append(halves.Member, uint8(1-i%2), uint8(i%2))
	}
	region := func(name string) *table.Table { // of six voxels, with the sum of all
		t.Helper()
		part, err := newTable(t, "train", x, table.Rows{Images: every(40, 3)}, table.Columns{Voxels: halves}).Region(name)
		if err != nil {
			t.Fatal(err)
		}
		return part
	}
	beside := func(name string) *table.Table {
		t.Helper()
		joined, err := table.Beside("both", region(name), region(name))
		if err != nil {
			t.Fatal(err)
		}
		return joined
	}
	sides := map[string][2]*table.Table{"beside": {beside("even"), beside("odd")}, "regions": {region("even"), region("odd")}}
	path := filepath.Join(t.TempDir(), "runs.mat")
	runs := make([]float64, 40)
	for i := range runs {
		runs[i] = float64(i / 8)
	}
	if err := matfile.Write(path, matfile.Matrix{Name: "runs", Dims: []int{40, 1}, Data: runs},
		matfile.Matrix{Name: "halves", Dims: []int{40, 1}, Data: slices.Concat(runs[20:], runs[:20])}); err != nil {
		t.Fatal(err)
	}
	o := Options{Ridge: ridge.Options{Alphas: []float64{1, 10}}}
	for name, s := range sides {
		out := filepath.Join(t.TempDir(), "m")
		if _, _, err := Save(t.Context(), out, s[0], to, o); err != nil {
			t.Fatal(err)
		}
		if _, upToDate, err := Save(t.Context(), out, s[0], to, o); err != nil || !upToDate {
			t.Errorf("%s: the same again: %v", name, err)
		}
		if _, _, err := Save(t.Context(), out, s[1], to, o); err == nil || !strings.Contains(err.Error(), "expected the same or no file") {
			t.Errorf("%s: another passes for the same: %v", name, err)
		}
	}
	out := filepath.Join(t.TempDir(), "m")
	for _, c := range []struct{ groups, want string }{{"runs", ""}, {"runs", ""}, {"halves", "(groups was"}} {
		o.Groups = path + ":" + c.groups
		if _, _, err := Save(t.Context(), out, of, to, o); (err == nil) != (c.want == "") ||
			err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("groups of %s: error %v, want %q", c.groups, err, c.want)
		}
	}
}

// What is read of a model without its coefficients does not predict.
func TestHeadDoesNotPredict(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	if err := fitted(t, false).Write(path); err != nil {
		t.Fatal(err)
	}
	m, err := Head(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Predict(t.Context(), responses(t, linalg.New[float32](4, 30))); err == nil ||
		!strings.Contains(err.Error(), "the model was fitted on 0") {
		t.Errorf("error %v", err)
	}
}
