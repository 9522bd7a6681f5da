package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"percept/fmri/ridge"
	"percept/fmri/stats"
	"percept/tensor/linalg"
)

const (
	ridgeFile   = "ridge/ridge.safetensors"
	ridgeReport = "ridge/report.json"
	ridgeTable  = 1e-8 // of scores, tables and intercepts, which are float64
)

// ridgeInfo is ridge/info.json.
type ridgeInfo struct {
	Samples  int       `json:"n"`
	Features int       `json:"d"`
	Targets  int       `json:"targets"`
	Test     int       `json:"n_test"`
	Bands    [][2]int  `json:"bands"`
	Constant int       `json:"constant_column"`
	Alphas   []float64 `json:"fixed_alphas"`
	Folds    [][2]int  `json:"folds_start_end"`
	Perm     struct {
		Block    int     `json:"block_length"`
		Blocks   int     `json:"blocks"`
		Orders   int     `json:"permutations"`
		P        string  `json:"p"`
		Smallest float64 `json:"smallest_null_obs_distance"`
	} `json:"perm"`
}

// ridgeCases are those of ridge regression, its scores, FDR and permutation tests.
func ridgeCases(s *set) []Case {
	for _, f := range []string{"ridge/info.json", ridgeReport, ridgeFile} {
		s.want(f)
	}
	return []Case{
		{Name: "ridge: scaler", run: ridgeScaler},
		{Name: "ridge: ridge", run: ridgeFixed},
		{Name: "ridge: ridge.per_target", run: ridgePerTarget},
		{Name: "ridge: ridgecv", run: ridgeCV},
		{Name: "ridge: ridgecv.global_alpha", run: ridgeGlobal},
		{Name: "ridge: kernelridgecv", run: ridgeKernel},
		{Name: "ridge: banded", run: ridgeBanded},
		{Name: "ridge: mkr", run: ridgeKernels},
		{Name: "ridge: scores", run: ridgeScores},
		{Name: "ridge: fdr", run: ridgeFDR},
		{Name: "ridge: perm", run: ridgePerm},
	}
}

// matrix reads a tensor of two dimensions.
func (c *check) matrix(file, name string) linalg.Matrix[float32] {
	shape := c.shape(file, name, 2)
	return linalg.Of(c.float32s(file, name), shape[0], shape[1])
}

// float64s reads a tensor in double precision, or ends the case.
func (c *check) float64s(file, name string) []float64 {
	st, err := c.set.open(file)
	c.must(err)
	x, err := st.Float64(name)
	c.must(err)
	return x
}

// reported returns the error of the reference library's float32 run, or of a second computation, that
// ridge/report.json gives under a key, or under a key of that key's object.
func (c *check) reported(key string, inner ...string) float64 {
	var raw json.RawMessage
	c.keyed(ridgeReport).take(key, &raw)
	if len(inner) > 0 {
		var m map[string]json.RawMessage
		c.must(json.Unmarshal(raw, &m))
		if raw = m[inner[0]]; raw == nil {
			c.must(fmt.Errorf("%s: no %s in %s", c.set.path(ridgeReport), inner[0], key))
		}
	}
	var m measured
	c.must(json.Unmarshal(raw, &m))
	return m.MaxAbs
}

// ridgeNear compares a float32 matrix with a tensor of ridge.safetensors.
func (c *check) ridgeNear(name string, got linalg.Matrix[float32], f32Error float64) {
	want := c.matrix(ridgeFile, name)
	c.near(name, got.Data, want.Data, tolerance(f32Error, rms(want.Data)))
}

// sameAlphas compares penalties, which himalaya gives after exp and log.
func (c *check) sameAlphas(label string, got, want []float64) {
	c.that(len(got) == len(want), "%s: %d penalties, the reference has %d", label, len(got), len(want))
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-9*want[i] {
			c.problem("%s: target %d has penalty %g, the reference %g", label, i, got[i], want[i])
		}
	}
}

func ridgeScaler(_ context.Context, c *check) {
	var info ridgeInfo
	c.json("ridge/info.json", &info)
	x := c.matrix(ridgeFile, "X")
	c.that(x.Rows == info.Samples && x.Cols == info.Features, "X is %d×%d, info.json says %d×%d", x.Rows, x.Cols, info.Samples, info.Features)
	y := c.matrix(ridgeFile, "Ytest")
	c.that(y.Rows == info.Test && y.Cols == info.Targets, "Ytest is %d×%d, info.json says %d×%d", y.Rows, y.Cols, info.Test, info.Targets)
	s, err := ridge.FitScaler(x)
	c.must(err)
	c.near64("mean", s.Mean, c.float64s(ridgeFile, "scaler.mean"), ridgeTable)
	c.near64("scale", s.Scale, c.float64s(ridgeFile, "scaler.scale"), ridgeTable)
	c.that(s.Scale[info.Constant] == 1, "scale of the constant column is %g, want 1", s.Scale[info.Constant])
	f32 := c.reported("scaler.f32")
	report := c.keyed(ridgeReport)
	for _, prefix := range []string{"scaler.", "ridge.", "ridgecv.", "kernelridgecv", "banded_group_ridge", "mkr", "scores", "fdr"} {
		report.skipPrefix(prefix)
	}
	report.end()
	for name, m := range map[string]linalg.Matrix[float32]{"scaler.X": x, "scaler.Xtest": c.matrix(ridgeFile, "Xtest")} {
		z, err := s.Transform(m)
		c.must(err)
		c.ridgeNear(name, z, f32)
	}
}

// predictions returns what a model predicts for the test rows.
func (c *check) predictions(m *ridge.Model) linalg.Matrix[float32] {
	p, err := m.Predict(c.matrix(ridgeFile, "scaler.Xtest"))
	c.must(err)
	return p
}

func ridgeFixed(ctx context.Context, c *check) {
	var info ridgeInfo
	c.json("ridge/info.json", &info)
	x, y := c.matrix(ridgeFile, "scaler.X"), c.matrix(ridgeFile, "Y")
	for i, alpha := range info.Alphas {
		for _, intercept := range []bool{false, true} {
			name := fmt.Sprintf("ridge.a%d", i)
			if intercept {
				name += ".intercept"
			}
			m, err := ridge.Fit(ctx, x, y, []float64{alpha}, ridge.Options{NoStandardise: true, NoIntercept: !intercept})
			c.must(err)
			c.ridgeNear(name+".coef", m.Coef, c.reported(name, "coef_f32"))
			c.ridgeNear(name+".pred", c.predictions(m), c.reported(name, "pred_f32"))
			if intercept {
				c.near64(name+".intercept", m.Intercept, c.float64s(ridgeFile, name+".intercept"), ridgeTable)
			}
		}
	}
}

func ridgePerTarget(ctx context.Context, c *check) {
	x, y := c.matrix(ridgeFile, "scaler.X"), c.matrix(ridgeFile, "Y_centred")
	alphas := c.float64s(ridgeFile, "ridge.per_target.alphas")
	m, err := ridge.Fit(ctx, x, y, alphas, ridge.Options{NoStandardise: true, NoIntercept: true})
	c.must(err)
	c.ridgeNear("ridge.per_target.coef", m.Coef, c.reported("ridge.per_target himalaya_vs_closed"))
}

// cv fits with the penalties and folds of the set.
func (c *check) cv(ctx context.Context, score ridge.Score, intercept, global bool) *ridge.Model {
	var info ridgeInfo
	c.json("ridge/info.json", &info)
	folds, err := ridge.Folds(info.Samples, len(info.Folds), nil)
	c.must(err)
	for i, f := range folds {
		want := info.Folds[i]
		c.that(f[0] == want[0] && f[len(f)-1] == want[1]-1, "fold %d is samples %d to %d, the reference leaves out %d to %d", i, f[0], f[len(f)-1], want[0], want[1]-1)
	}
	target := "Y_centred"
	if intercept {
		target = "Y"
	}
	m, err := ridge.FitCV(ctx, c.matrix(ridgeFile, "scaler.X"), c.matrix(ridgeFile, target), ridge.Options{
		Alphas: c.float64s(ridgeFile, "alphas"), Folds: len(info.Folds), Score: score, Global: global,
		NoIntercept: !intercept, NoStandardise: true,
	})
	c.must(err)
	return m
}

func ridgeCV(ctx context.Context, c *check) {
	for _, kind := range []struct {
		name  string
		score ridge.Score
	}{{"ridgecv.l2", ridge.L2}, {"ridgecv.r2", ridge.R2}, {"ridgecv.corr", ridge.Correlation}} {
		for _, intercept := range []bool{false, true} {
			name := kind.name
			if intercept {
				name += ".intercept"
			}
			m := c.cv(ctx, kind.score, intercept, false)
			c.near64(name+".cv_table", m.CVTable, c.float64s(ridgeFile, name+".cv_table"), ridgeTable)
			c.near64(name+".cv_scores", m.CVScores, c.float64s(ridgeFile, name+".cv_scores"), ridgeTable)
			c.near64(name+".best_second_gap", gaps(m), c.float64s(ridgeFile, name+".best_second_gap"), ridgeTable)
			c.sameAlphas(name, m.Alphas, c.float64s(ridgeFile, name+".best_alphas"))
			f32 := c.reported(name, "f32_pred")
			c.ridgeNear(name+".pred", c.predictions(m), f32)
			c.ridgeNear(name+".coef", m.Coef, f32)
			if intercept {
				c.near64(name+".intercept", m.Intercept, c.float64s(ridgeFile, name+".intercept"), ridgeTable)
			}
		}
	}
}

// gaps returns for every target by how much the best penalty's score beats the second best.
func gaps(m *ridge.Model) []float64 {
	targets := len(m.Alphas)
	gap := make([]float64, targets)
	for t := range gap {
		column := make([]float64, len(m.Grid))
		for a := range column {
			column[a] = m.CVTable[a*targets+t]
		}
		slices.Sort(column)
		gap[t] = column[len(column)-1] - column[len(column)-2]
	}
	return gap
}

func ridgeGlobal(ctx context.Context, c *check) {
	m := c.cv(ctx, ridge.L2, false, true)
	want := c.float64s(ridgeFile, "ridgecv.global_alpha.best_alpha")
	c.sameAlphas("ridgecv.global_alpha", m.Alphas, slices.Repeat(want, len(m.Alphas)))
	c.near64("ridgecv.global_alpha.cv_scores", m.CVScores, c.float64s(ridgeFile, "ridgecv.global_alpha.cv_scores"), ridgeTable)
	// The report has no float32 error of this prediction: that of the same targets with their own penalties.
	c.ridgeNear("ridgecv.global_alpha.pred", c.predictions(m), c.reported("ridgecv.l2", "f32_pred"))
}

// kernels returns the linear kernels of the training samples and of the test with the training samples, one for each of
// the ranges of features.
func (c *check) kernels(bands [][2]int) (train, test []linalg.Matrix[float64]) {
	x, xTest := c.matrix(ridgeFile, "scaler.X"), c.matrix(ridgeFile, "scaler.Xtest")
	for _, b := range bands {
		c.that(0 <= b[0] && b[0] < b[1] && b[1] <= x.Cols, "a band of features %d to %d of %d", b[0], b[1], x.Cols)
		of := x.Slice(0, x.Rows, b[0], b[1])
		k, err := ridge.LinearKernel(of, of)
		c.must(err)
		kTest, err := ridge.LinearKernel(xTest.Slice(0, xTest.Rows, b[0], b[1]), of)
		c.must(err)
		train, test = append(train, k), append(test, kTest)
	}
	return train, test
}

func single(m linalg.Matrix[float64]) linalg.Matrix[float32] {
	s := linalg.New[float32](m.Rows, m.Cols)
	for i, v := range m.Data {
		s.Data[i] = float32(v)
	}
	return s
}

func ridgeKernel(ctx context.Context, c *check) {
	var info ridgeInfo
	c.json("ridge/info.json", &info)
	k, kTest := c.kernels([][2]int{{0, info.Features}})
	m, err := ridge.FitKernelCV(ctx, k[0], c.matrix(ridgeFile, "Y_centred"), ridge.Options{
		Alphas: c.float64s(ridgeFile, "alphas"), Folds: len(info.Folds), NoIntercept: true,
	})
	c.must(err)
	c.near64("kernelridgecv.cv_scores", m.CVScores, c.float64s(ridgeFile, "kernelridgecv.cv_scores"), ridgeTable)
	c.sameAlphas("kernelridgecv", m.Alphas, c.float64s(ridgeFile, "kernelridgecv.best_alphas"))
	// The reference's float32 run is off by a third of the values; its distance from a second computation is the scale.
	c.ridgeNear("kernelridgecv.dual_coef", single(m.Dual), c.reported("kernelridgecv", "dual_vs_closed"))
	p, err := m.Predict(kTest[0])
	c.must(err)
	c.ridgeNear("kernelridgecv.pred", p, c.reported("kernelridgecv", "pred_vs_ridgecv"))
}

// candidates are the weights of bands that the reference tried, and which of them each target chose.
func (c *check) candidates() (ridge.Search, []int64) {
	m := c.shape(ridgeFile, "banded.gammas", 2)
	all := c.float64s(ridgeFile, "banded.gammas")
	var s ridge.Search
	for i := range m[0] {
		s.Gammas = append(s.Gammas, all[i*m[1]:(i+1)*m[1]])
	}
	return s, c.ints(ridgeFile, "banded.best_gamma_index")
}

// sameCandidates compares what a search chose with the reference.
func (c *check) sameCandidates(name string, chosen []int, want []int64, deltas linalg.Matrix[float64], scores [][]float64) {
	for t, g := range want {
		c.that(t < len(chosen) && chosen[t] == int(g), "%s: target %d chose candidate %d, the reference %d", name, t, chosen[t], g)
	}
	c.near64(name+".deltas", deltas.Data, c.float64s(ridgeFile, name+".deltas"), ridgeTable)
	c.near64(name+".cv_scores_per_gamma", slices.Concat(scores...), c.float64s(ridgeFile, name+".cv_scores_per_gamma"), ridgeTable)
}

func ridgeBanded(ctx context.Context, c *check) {
	var info ridgeInfo
	c.json("ridge/info.json", &info)
	x, y := c.matrix(ridgeFile, "scaler.X"), c.matrix(ridgeFile, "Y_centred")
	bands := make([]int, info.Features)
	for k, b := range info.Bands {
		for j := b[0]; j < b[1]; j++ {
			bands[j] = k
		}
	}
	s, want := c.candidates()
	o := ridge.Options{Alphas: c.float64s(ridgeFile, "alphas"), Folds: len(info.Folds), NoIntercept: true, NoStandardise: true}
	m, err := ridge.FitBandedCV(ctx, x, bands, y, o, s)
	c.must(err)
	c.sameCandidates("banded", m.Chosen, want, m.Deltas, m.CandidateScores)
	c.sameAlphas("banded", m.Alphas, c.float64s(ridgeFile, "banded.best_alphas"))
	c.near64("banded.cv_table", slices.Concat(m.CandidateTables...), c.float64s(ridgeFile, "banded.cv_table"), ridgeTable)
	f32 := c.reported("banded_group_ridge", "f32_pred")
	c.ridgeNear("banded.coef", m.Coef, f32)
	c.ridgeNear("banded.pred", c.predictions(&m.Model), f32)
}

func ridgeKernels(ctx context.Context, c *check) {
	var info ridgeInfo
	c.json("ridge/info.json", &info)
	k, kTest := c.kernels(info.Bands)
	s, want := c.candidates()
	o := ridge.Options{Alphas: c.float64s(ridgeFile, "alphas"), Folds: len(info.Folds), NoIntercept: true}
	m, err := ridge.FitKernelsCV(ctx, k, c.matrix(ridgeFile, "Y_centred"), o, s)
	c.must(err)
	c.sameCandidates("mkr", m.Chosen, want, m.Deltas, m.CandidateScores)
	dual := linalg.New[float32](m.Dual.Rows, m.Dual.Cols)
	for i := range dual.Rows {
		for j, v := range m.Dual.Row(i) {
			dual.Row(i)[j] = float32(v * m.Alphas[j]) // himalaya's are for the weights γ/α
		}
	}
	f32 := c.reported("banded_group_ridge", "f32_pred") // the same model, of which the report has no float32 run
	c.ridgeNear("mkr.dual_coef", dual, f32)
	p, err := m.Predict(kTest...)
	c.must(err)
	c.ridgeNear("mkr.pred", p, f32)
	parts, err := m.PredictSplit(kTest...)
	c.must(err)
	var split []float32
	for _, part := range parts {
		split = append(split, single(part).Data...)
	}
	ref := c.float32s(ridgeFile, "mkr.pred_split")
	c.near("mkr.pred_split", split, ref, tolerance(f32, rms(ref)))
}

func ridgeScores(_ context.Context, c *check) {
	truth, pred := c.matrix(ridgeFile, "scores.true"), c.matrix(ridgeFile, "scores.pred")
	for name, s := range map[string]ridge.Score{"scores.l2_neg_loss": ridge.L2, "scores.r2": ridge.R2, "scores.correlation": ridge.Correlation} {
		got, err := s.Of(truth, pred)
		c.must(err)
		c.near64(name, got, c.float64s(ridgeFile, name), ridgeTable)
	}
	got, err := ridge.Correlation.Of(truth.T().Clone(), pred.T().Clone())
	c.must(err)
	c.near64("scores.correlation_per_sample", got, c.float64s(ridgeFile, "scores.correlation_per_sample"), ridgeTable)
}

func ridgeFDR(_ context.Context, c *check) {
	p := c.float64s(ridgeFile, "fdr.p")
	for name, adjusted := range map[string][]float64{"bh": stats.BenjaminiHochberg(p), "by": stats.BenjaminiYekutieli(p)} {
		c.near64("fdr."+name+"_adjusted", adjusted, c.float64s(ridgeFile, "fdr."+name+"_adjusted"), ridgeTable)
		for i, reject := range c.ints(ridgeFile, "fdr."+name+"_reject_0.05") {
			c.that((adjusted[i] <= 0.05) == (reject != 0), "fdr.%s_reject_0.05: p = %g, adjusted %g, the reference says %d", name, p[i], adjusted[i], reject)
		}
	}
}

func ridgePerm(_ context.Context, c *check) {
	var info ridgeInfo
	c.json("ridge/info.json", &info)
	truth, pred := c.matrix(ridgeFile, "perm.true"), c.matrix(ridgeFile, "perm.pred")
	var orders [][]int
	for _, row := range c.rows(ridgeFile, "perm.block_order") {
		order := make([]int, len(row))
		for i, b := range row {
			order[i] = int(b)
		}
		orders = append(orders, order)
	}
	t, err := stats.PermuteBlocks(truth.Data, pred.Data, truth.Rows, truth.Cols, info.Perm.Block, orders)
	c.must(err)
	c.near64("perm.observed", t.Observed, c.float64s(ridgeFile, "perm.observed"), ridgeTable)
	c.near64("perm.p", t.P, c.float64s(ridgeFile, "perm.p"), ridgeTable)
	c.near64("perm.fdr_bh", stats.BenjaminiHochberg(t.P), c.float64s(ridgeFile, "perm.fdr_bh"), ridgeTable)
	for i, want := range c.ints(ridgeFile, "perm.count_ge") {
		c.that(t.Count[i] == int(want), "perm.count_ge: target %d has %d, the reference %d", i, t.Count[i], want)
	}
	null := c.matrix(ridgeFile, "perm.null")
	for i, r := range t.Null {
		got := make([]float32, len(r))
		for j, v := range r {
			got[j] = float32(v)
		}
		c.near("perm.null", got, null.Row(i), 1e-6*rms(null.Data))
	}
}
