package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"percept/fmri/ridge"
	"percept/fmri/stats"
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
	missing := []string{"kernelridgecv.", "banded.", "mkr."}
	s.knows(ridgeFile, func(name string) bool {
		return slices.ContainsFunc(missing, func(m string) bool { return strings.HasPrefix(name, m) })
	})
	return []Case{
		{Name: "ridge: scaler", run: ridgeScaler},
		{Name: "ridge: ridge", run: ridgeFixed},
		{Name: "ridge: ridge.per_target", run: ridgePerTarget},
		{Name: "ridge: ridgecv", run: ridgeCV},
		{Name: "ridge: ridgecv.global_alpha", run: ridgeGlobal},
		later("ridge: kernelridgecv", "kernel ridge is not there"),
		later("ridge: banded", "banded ridge is not there"),
		later("ridge: mkr", "ridge on several kernels is not there"),
		{Name: "ridge: scores", run: ridgeScores},
		{Name: "ridge: fdr", run: ridgeFDR},
		{Name: "ridge: perm", run: ridgePerm},
	}
}

// matrix reads a tensor of two dimensions.
func (c *check) matrix(file, name string) ridge.Matrix {
	shape := c.shape(file, name, 2)
	return ridge.Matrix{Rows: shape[0], Cols: shape[1], Data: c.float32s(file, name)}
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
func (c *check) ridgeNear(name string, got ridge.Matrix, f32Error float64) {
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
	for name, m := range map[string]ridge.Matrix{"scaler.X": x, "scaler.Xtest": c.matrix(ridgeFile, "Xtest")} {
		z, err := s.Transform(m)
		c.must(err)
		c.ridgeNear(name, z, f32)
	}
}

// predictions returns what a model predicts for the test rows.
func (c *check) predictions(m *ridge.Model) ridge.Matrix {
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

func ridgeScores(_ context.Context, c *check) {
	truth, pred := c.matrix(ridgeFile, "scores.true"), c.matrix(ridgeFile, "scores.pred")
	for name, s := range map[string]ridge.Score{"scores.l2_neg_loss": ridge.L2, "scores.r2": ridge.R2, "scores.correlation": ridge.Correlation} {
		got, err := s.Of(truth, pred)
		c.must(err)
		c.near64(name, got, c.float64s(ridgeFile, name), ridgeTable)
	}
	got, err := ridge.Correlation.Of(truth.Transpose(), pred.Transpose())
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
