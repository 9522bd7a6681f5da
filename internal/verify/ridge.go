package verify

import (
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

func (c *check) ridgeInfo() ridgeInfo { return fromJSON[ridgeInfo](c, "ridge/info.json") }

// ridgeCases are those of ridge regression, its scores, FDR and permutation tests.
func ridgeCases(*set) []testCase {
	return []testCase{
		{"ridge: scaler", ridgeScaler},
		{"ridge: ridge", ridgeFixed},
		{"ridge: ridge.per_target", ridgePerTarget},
		{"ridge: ridgecv", ridgeCV},
		{"ridge: ridgecv.global_alpha", ridgeGlobal},
		{"ridge: kernelridgecv", ridgeKernel},
		{"ridge: banded", ridgeBanded},
		{"ridge: mkr", ridgeKernels},
		{"ridge: scores", ridgeScores},
		{"ridge: fdr", ridgeFDR},
		{"ridge: perm", ridgePerm},
	}
}

// ridgeX reads a tensor of two dimensions.
func (c *check) ridgeX(name string) linalg.Matrix[float32] {
	shape := c.shape(ridgeFile, name, 2)
	return linalg.Of(c.float32s(ridgeFile, name), shape[0], shape[1])
}

// reported returns the error of the reference library's float32 run, or of a second computation, that
// ridge/report.json gives under a key, or under a key of that key's object.
func (c *check) reported(key string, inner ...string) float64 {
	raw := take[json.RawMessage](c.keyed(ridgeReport), key)
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

// ridgeNear compares a float32 result with a tensor of ridge.safetensors.
func (c *check) ridgeNear(name string, got []float32, f32Error float64) {
	want := c.float32s(ridgeFile, name)
	near(c, name, got, want, tolerance(f32Error, rms(want)))
}

// ridgeTables compares float64 results with the tensors of ridge.safetensors whose names begin with prefix.
func (c *check) ridgeTables(prefix string, got map[string][]float64) {
	for name, x := range got {
		near(c, prefix+name, x, c.float64s(ridgeFile, prefix+name), ridgeTable)
	}
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

func ridgeScaler(c *check) {
	info := c.ridgeInfo()
	x, y := c.ridgeX("X"), c.ridgeX("Ytest")
	c.that(x.Rows == info.Samples && x.Cols == info.Features,
		"X is %d×%d, info.json says %d×%d", x.Rows, x.Cols, info.Samples, info.Features)
	c.that(y.Rows == info.Test && y.Cols == info.Targets, "Ytest is %d×%d, info.json says %d×%d", y.Rows, y.Cols, info.Test, info.Targets)
	s := must(ridge.FitScaler(x))
	c.ridgeTables("scaler.", map[string][]float64{"mean": s.Mean, "scale": s.Scale})
	c.that(s.Scale[info.Constant] == 1, "scale of the constant column is %g, expected 1", s.Scale[info.Constant])
	c.keyed(ridgeReport).end("scaler.*", "ridge.*", "ridgecv.*", "kernelridgecv*", "banded_group_ridge*", "mkr*", "scores*", "fdr*")
	for name, m := range map[string]linalg.Matrix[float32]{"scaler.X": x, "scaler.Xtest": c.ridgeX("Xtest")} {
		c.ridgeNear(name, must(s.Transform(m)).Data, c.reported("scaler.f32"))
	}
}

// predictions returns what a model predicts for the test rows.
func (c *check) predictions(m *ridge.Model) []float32 {
	return must(m.Predict(c.ridgeX("scaler.Xtest"))).Data
}

// withIntercept calls f for the tensors of a name of both kinds, those without an intercept and those with.
func withIntercept(name string, f func(name string, intercept bool)) {
	f(name, false)
	f(name+".intercept", true)
}

func ridgeFixed(c *check) {
	x, y := c.ridgeX("scaler.X"), c.ridgeX("Y")
	for i, alpha := range c.ridgeInfo().Alphas {
		withIntercept(fmt.Sprintf("ridge.a%d", i), func(name string, intercept bool) {
			m := must(ridge.Fit(c.ctx, x, y, []float64{alpha}, ridge.Options{NoStandardise: true, NoIntercept: !intercept}))
			c.ridgeNear(name+".coef", m.Coef.Data, c.reported(name, "coef_f32"))
			c.ridgeNear(name+".pred", c.predictions(m), c.reported(name, "pred_f32"))
			if intercept {
				c.ridgeTables(name, map[string][]float64{".intercept": m.Intercept})
			}
		})
	}
}

func ridgePerTarget(c *check) {
	const name = "ridge.per_target"
	o := ridge.Options{NoStandardise: true, NoIntercept: true}
	m := must(ridge.Fit(c.ctx, c.ridgeX("scaler.X"), c.ridgeX("Y_centred"), c.float64s(ridgeFile, name+".alphas"), o))
	c.ridgeNear(name+".coef", m.Coef.Data, c.reported(name+" himalaya_vs_closed"))
}

// cvOptions are the penalties and folds of the set, for features that are standardised and targets that are centred.
func (c *check) cvOptions() ridge.Options {
	return ridge.Options{Alphas: c.float64s(ridgeFile, "alphas"), Folds: len(c.ridgeInfo().Folds), NoIntercept: true, NoStandardise: true}
}

// cv fits with the penalties and folds of the set.
func (c *check) cv(score ridge.Score, intercept, global bool) *ridge.Model {
	info, o, target := c.ridgeInfo(), c.cvOptions(), "Y_centred"
	for i, f := range must(ridge.Folds(info.Samples, len(info.Folds), nil)) {
		want := info.Folds[i]
		c.that(f[0] == want[0] && f[len(f)-1] == want[1]-1,
			"fold %d is samples %d to %d, the reference leaves out %d to %d", i, f[0], f[len(f)-1], want[0], want[1]-1)
	}
	if intercept {
		target = "Y"
	}
	o.Score, o.NoIntercept, o.Global = score, !intercept, global
	return must(ridge.FitCV(c.ctx, c.ridgeX("scaler.X"), c.ridgeX(target), o))
}

func ridgeCV(c *check) {
	for kind, score := range map[string]ridge.Score{"ridgecv.l2": ridge.L2, "ridgecv.r2": ridge.R2, "ridgecv.corr": ridge.Correlation} {
		withIntercept(kind, func(name string, intercept bool) {
			m := c.cv(score, intercept, false)
			tables := map[string][]float64{".cv_table": m.CVTable, ".cv_scores": m.CVScores, ".best_second_gap": gaps(m)}
			if intercept {
				tables[".intercept"] = m.Intercept
			}
			c.ridgeTables(name, tables)
			c.sameAlphas(name, m.Alphas, c.float64s(ridgeFile, name+".best_alphas"))
			f32 := c.reported(name, "f32_pred")
			c.ridgeNear(name+".pred", c.predictions(m), f32)
			c.ridgeNear(name+".coef", m.Coef.Data, f32)
		})
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

func ridgeGlobal(c *check) {
	const name = "ridgecv.global_alpha"
	m := c.cv(ridge.L2, false, true)
	c.sameAlphas(name, m.Alphas, slices.Repeat(c.float64s(ridgeFile, name+".best_alpha"), len(m.Alphas)))
	c.ridgeTables(name, map[string][]float64{".cv_scores": m.CVScores})
	// The report has no float32 error of this prediction: that of the same targets with their own penalties.
	c.ridgeNear(name+".pred", c.predictions(m), c.reported("ridgecv.l2", "f32_pred"))
}

// kernels returns the linear kernels of the training samples and of the test with the training samples, one for each of
// the ranges of features.
func (c *check) kernels(bands [][2]int) (train, test []linalg.Matrix[float64]) {
	x, xTest := c.ridgeX("scaler.X"), c.ridgeX("scaler.Xtest")
	for _, b := range bands {
		c.that(0 <= b[0] && b[0] < b[1] && b[1] <= x.Cols, "a band of features %d to %d of %d", b[0], b[1], x.Cols)
		of := x.Slice(0, x.Rows, b[0], b[1])
		train = append(train, must(ridge.LinearKernel(of, of)))
		test = append(test, must(ridge.LinearKernel(xTest.Slice(0, xTest.Rows, b[0], b[1]), of)))
	}
	return train, test
}

func ridgeKernel(c *check) {
	k, kTest := c.kernels([][2]int{{0, c.ridgeInfo().Features}})
	m := must(ridge.FitKernelCV(c.ctx, k[0], c.ridgeX("Y_centred"), c.cvOptions()))
	c.ridgeTables("kernelridgecv", map[string][]float64{".cv_scores": m.CVScores})
	c.sameAlphas("kernelridgecv", m.Alphas, c.float64s(ridgeFile, "kernelridgecv.best_alphas"))
	// The reference's float32 run is off by a third of the values; its distance from a second computation is the scale.
	c.ridgeNear("kernelridgecv.dual_coef", converted[float32](m.Dual.Data), c.reported("kernelridgecv", "dual_vs_closed"))
	c.ridgeNear("kernelridgecv.pred", must(m.Predict(kTest[0])).Data, c.reported("kernelridgecv", "pred_vs_ridgecv"))
}

// candidates are the weights of bands that the reference tried.
func (c *check) candidates() ridge.Search {
	bands := c.shape(ridgeFile, "banded.gammas", 2)[1]
	return ridge.Search{Gammas: slices.Collect(slices.Chunk(c.float64s(ridgeFile, "banded.gammas"), bands))}
}

// sameCandidates compares what a search chose with the reference.
func (c *check) sameCandidates(name string, chosen []int, deltas linalg.Matrix[float64], scores [][]float64) {
	c.each(ridgeFile, "banded.best_gamma_index", chosen)
	c.ridgeTables(name, map[string][]float64{".deltas": deltas.Data, ".cv_scores_per_gamma": slices.Concat(scores...)})
}

func ridgeBanded(c *check) {
	info := c.ridgeInfo()
	bands := make([]int, info.Features)
	for k, b := range info.Bands {
		for j := b[0]; j < b[1]; j++ {
			bands[j] = k
		}
	}
	m := must(ridge.FitBandedCV(c.ctx, c.ridgeX("scaler.X"), bands, c.ridgeX("Y_centred"), c.cvOptions(), c.candidates()))
	c.sameCandidates("banded", m.Chosen, m.Deltas, m.CandidateScores)
	c.sameAlphas("banded", m.Alphas, c.float64s(ridgeFile, "banded.best_alphas"))
	c.ridgeTables("banded", map[string][]float64{".cv_table": slices.Concat(m.CandidateTables...)})
	f32 := c.reported("banded_group_ridge", "f32_pred")
	c.ridgeNear("banded.coef", m.Coef.Data, f32)
	c.ridgeNear("banded.pred", c.predictions(&m.Model), f32)
}

func ridgeKernels(c *check) {
	k, kTest := c.kernels(c.ridgeInfo().Bands)
	m := must(ridge.FitKernelsCV(c.ctx, k, c.ridgeX("Y_centred"), c.cvOptions(), c.candidates()))
	c.sameCandidates("mkr", m.Chosen, m.Deltas, m.CandidateScores)
	var dual []float32
	for i := range m.Dual.Rows {
		for j, v := range m.Dual.Row(i) {
			dual = append(dual, float32(v*m.Alphas[j])) // himalaya's are for the weights γ/α
		}
	}
	var split []float64
	for _, part := range must(m.PredictSplit(kTest...)) {
		split = append(split, part.Data...)
	}
	f32 := c.reported("banded_group_ridge", "f32_pred") // the same model, of which the report has no float32 run
	c.ridgeNear("mkr.dual_coef", dual, f32)
	c.ridgeNear("mkr.pred", must(m.Predict(kTest...)).Data, f32)
	c.ridgeNear("mkr.pred_split", converted[float32](split), f32)
}

func ridgeScores(c *check) {
	truth, pred := c.ridgeX("scores.true"), c.ridgeX("scores.pred")
	c.ridgeTables("scores.", map[string][]float64{
		"l2_neg_loss":            must(ridge.L2.Of(truth, pred)),
		"r2":                     must(ridge.R2.Of(truth, pred)),
		"correlation":            must(ridge.Correlation.Of(truth, pred)),
		"correlation_per_sample": must(ridge.Correlation.Of(truth.T().Clone(), pred.T().Clone())),
	})
}

func ridgeFDR(c *check) {
	p := c.float64s(ridgeFile, "fdr.p")
	for name, adjusted := range map[string][]float64{"bh": stats.BenjaminiHochberg(p), "by": stats.BenjaminiYekutieli(p)} {
		c.ridgeTables("fdr."+name, map[string][]float64{"_adjusted": adjusted})
		rejected := make([]int, len(p))
		for i, q := range adjusted {
			rejected[i] = flag(q <= 0.05)
		}
		c.each(ridgeFile, "fdr."+name+"_reject_0.05", rejected)
	}
}

func ridgePerm(c *check) {
	truth, pred := c.ridgeX("perm.true"), c.ridgeX("perm.pred")
	var orders [][]int
	for _, row := range c.rows(ridgeFile, "perm.block_order") {
		orders = append(orders, converted[int](row))
	}
	t := must(stats.PermuteBlocks(truth.Data, pred.Data, truth.Rows, truth.Cols, c.ridgeInfo().Perm.Block, orders))
	c.ridgeTables("perm.", map[string][]float64{"observed": t.Observed, "p": t.P, "fdr_bh": stats.BenjaminiHochberg(t.P)})
	c.each(ridgeFile, "perm.count_ge", t.Count)
	null := c.ridgeX("perm.null")
	for i, r := range t.Null {
		near(c, "perm.null", converted[float32](r), null.Row(i), 1e-6*rms(null.Data))
	}
}
