package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"percept/fmri"
	"percept/fmri/array"
	"percept/fmri/nsd"
	"percept/fmri/stats"
)

const (
	nsdRoot     = "nsd/nsd_root"
	nsdInfoFile = "nsd/info.json"
	nsdFile     = "nsd/expected.safetensors"
	nsdCaptions = "nsd/expected_captions_by_nsd_id_0based.json"
	nsdVariants = "nsd/variants/"

	nsdSurfaceFile = "nsd/expected_surfaces.safetensors"

	// Tolerances of the golden README, section 10, in units of 1 % signal change or of the value where that is larger.
	betaTolerance = 1e-6
	meanTolerance = 2e-6
)

// nsdInfo is nsd/info.json.
type nsdInfo struct {
	Shared    int `json:"shared"`
	PerPerson int `json:"images_per_subject"`
	Images    int `json:"images"`
	Trials    int `json:"trials"`
	Sessions  int `json:"sessions"`
	PerOne    int `json:"trials_per_session"`
	Runs      int `json:"runs"`
	Subjects  map[fmri.Subject]struct {
		Shape   [3]int `json:"shape_xyz"`
		General int    `json:"nsdgeneral_voxels"`
		Brain   int    `json:"brain_voxels"`
	} `json:"subjects_with_data"`
}

// nsdCases are those of a folder in the layout of the Natural Scenes Dataset.
func nsdCases(s *set) []Case {
	for _, f := range []string{nsdInfoFile, nsdFile, nsdCaptions, nsdSurfaceFile} {
		s.want(f)
	}
	for _, f := range s.under("nsd") {
		if strings.HasPrefix(f, nsdRoot+"/nsddata") {
			s.has(f)
		}
	}
	var info nsdInfo
	if err := s.json(nsdInfoFile, &info); err != nil {
		s.broken = append(s.broken, unknown{nsdInfoFile, err.Error()})
		return nil
	}
	cases := []Case{{Name: "nsd: design and images' origins", run: nsdDesign}}
	for _, subject := range slices.Sorted(maps.Keys(info.Subjects)) {
		name := "nsd: " + string(subject) + ": "
		run := func(f func(context.Context, *check, *nsd.Dataset, fmri.Subject)) func(context.Context, *check) {
			return func(ctx context.Context, c *check) {
				d := c.dataset()
				defer d.Close()
				f(ctx, c, d, subject)
			}
		}
		cases = append(cases,
			Case{Name: name + "trials and shared images", run: run(nsdTrials)},
			Case{Name: name + "regions and voxels", run: run(nsdRegions)},
			Case{Name: name + "betas from HDF5", run: run(nsdBetas)},
			Case{Name: name + "betas from NIfTI", run: run(nsdBetasNIfTI)},
			Case{Name: name + "averages and split", run: run(nsdAverages)},
			Case{Name: name + "z-scores by session", run: run(nsdZScores)},
			Case{Name: name + "noise ceilings", run: run(nsdCeilings)})
	}
	cases = append(cases, Case{Name: "nsd: images", run: nsdImages}, Case{Name: "nsd: captions", run: nsdCaptionTexts})
	for _, f := range s.under("nsd") {
		if name, ok := strings.CutPrefix(f, nsdVariants); ok {
			s.has(f)
			cases = append(cases, Case{Name: "nsd: variant " + name, run: func(_ context.Context, c *check) { nsdVariant(c, f) }})
		}
	}
	return append(cases, Case{Name: "nsd: surfaces", run: nsdSurfaces})
}

// dataset opens the set's tree, or ends the case.
func (c *check) dataset() *nsd.Dataset {
	d, err := nsd.Open(c.set.path(nsdRoot))
	c.must(err)
	return d
}

func (c *check) nsdInfo() nsdInfo {
	var info nsdInfo
	c.json(nsdInfoFile, &info)
	return info
}

// whole compares numbers that have to be the same.
func whole[T ~int | ~int64](c *check, label string, got []T, want []int64) {
	c.that(len(got) == len(want), "%s: %d values, the reference has %d", label, len(got), len(want))
	if len(got) != len(want) {
		return
	}
	for i := range got {
		if int64(got[i]) != want[i] {
			c.that(false, "%s: value %d is %d, the reference has %d", label, i, got[i], want[i])
			return
		}
	}
}

// relative compares values in units of max(1, |reference|); two NaN are equal.
func (c *check) relative(label string, got, want []float32, tol float64) {
	if len(got) != len(want) {
		c.that(false, "%s: %d values, the reference has %d", label, len(got), len(want))
		return
	}
	worst, found := 0.0, ""
	for i, w := range want {
		if got[i] == w || math.IsNaN(float64(got[i])) && math.IsNaN(float64(w)) {
			continue
		}
		d := math.Abs(float64(got[i])-float64(w)) / max(1, math.Abs(float64(w)))
		if !(d <= worst) {
			worst, found = d, fmt.Sprintf("value %d is %g, the reference has %g", i, got[i], w)
		}
	}
	c.measure(label, worst, tol, found)
}

// nsdDesign compares the design and the table of images with the reference, and info.json with both.
func nsdDesign(_ context.Context, c *check) {
	d, info := c.dataset(), c.nsdInfo()
	defer d.Close()
	for variable, tensor := range map[string]string{"masterordering": "masterordering", "basiccnt": "basiccnt",
		"sharedix": "sharedix_1based", "subjectim": "subjectim_1based", "stimpattern": "stimpattern"} {
		a, err := array.Read(d.Paths.ExpDesign(), variable)
		c.must(err)
		whole(c, variable, toInts(c, variable, a.Data), c.ints(nsdFile, "design."+tensor))
		if variable == "stimpattern" {
			c.that(slices.Equal(a.Shape[:min(2, len(a.Shape))], []int{info.Sessions, info.Runs}), "stimpattern: shape %v, info.json says %d sessions of %d runs",
				a.Shape, info.Sessions, info.Runs)
		}
	}
	design, err := d.Design()
	c.must(err)
	shared := c.ints(nsdFile, "design.sharedix_1based")
	for i := range shared {
		shared[i]--
	}
	whole(c, "shared images", design.Shared, shared)
	c.that(len(design.Shared) == info.Shared, "%d shared images, info.json says %d", len(design.Shared), info.Shared)
	infos, err := d.StimulusInfos()
	c.must(err)
	c.that(len(infos) == info.Images, "%d images, info.json says %d", len(infos), info.Images)
	var coco, train []int
	for _, in := range infos {
		coco = append(coco, in.COCO)
		train = append(train, flag(in.Split == "train2017"))
		c.that(in.Shared == design.SharedSet()[in.Image], "image %d: shared is %v in the table, not in the design", in.Image, in.Shared)
	}
	whole(c, "COCO ids", coco, c.ints(nsdFile, "stim.coco_id"))
	whole(c, "train2017", train, c.ints(nsdFile, "stim.is_train2017"))
	subjects, err := d.Subjects()
	c.must(err)
	c.that(slices.Equal(subjects, slices.Sorted(maps.Keys(info.Subjects))), "subjects %v, info.json has others", subjects)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func toInts(c *check, label string, x []float64) []int {
	out := make([]int, len(x))
	for i, v := range x {
		out[i] = int(v)
		if float64(out[i]) != v {
			c.must(fmt.Errorf("%s: value %d is %v, want a whole number", label, i, v))
		}
	}
	return out
}

func nsdTrials(_ context.Context, c *check, d *nsd.Dataset, s fmri.Subject) {
	trials, err := d.Trials(s)
	c.must(err)
	var images, sessions, shared, repeats []int
	for _, t := range trials {
		images, sessions = append(images, int(t.Image)), append(sessions, t.Session)
		shared, repeats = append(shared, flag(t.Shared)), append(repeats, t.Repeat)
	}
	p := string(s) + "."
	whole(c, "images", images, c.ints(nsdFile, p+"trial.nsd_id_0based"))
	whole(c, "sessions", sessions, c.ints(nsdFile, p+"trial.session_1based"))
	whole(c, "shared", shared, c.ints(nsdFile, p+"trial.is_shared"))
	whole(c, "repeats", repeats, c.ints(nsdFile, p+"trial.repeat_0based"))
	whole(c, "first presentations", nsd.FirstSeen(trials), c.ints(nsdFile, p+"stims_unique_first_seen_order"))
	info := c.nsdInfo()
	c.that(len(trials) == info.Trials && len(nsd.FirstSeen(trials)) == info.PerPerson, "%d trials of %d images, info.json says %d of %d",
		len(trials), len(nsd.FirstSeen(trials)), info.Trials, info.PerPerson)
	on, err := d.Sessions(s, nsd.DefaultSpace, nsd.DefaultBetas)
	c.must(err)
	c.that(len(on) == info.Sessions && len(trials) == len(on)*info.PerOne, "sessions %v, info.json says %d of %d trials", on, info.Sessions, info.PerOne)
}

func coordinates(m fmri.Mask) []int {
	var xyz []int
	for v := range m.Len() {
		p := m.XYZ(v)
		xyz = append(xyz, p[:]...)
	}
	return xyz
}

// nsdRegions compares the voxels of every region that the reference has.
func nsdRegions(_ context.Context, c *check, d *nsd.Dataset, s fmri.Subject) {
	st, err := c.set.open(nsdFile)
	c.must(err)
	prefix, checked := string(s)+".roi.", 0
	for _, name := range st.Names() {
		rest, ok := strings.CutPrefix(name, prefix)
		rest, is := strings.CutSuffix(rest, ".voxels_xyz")
		atlas, region, found := strings.Cut(rest, ".")
		if !ok || !is || !found {
			continue
		}
		r, err := d.Region(s, "", atlas+"/"+region)
		c.must(err)
		whole(c, atlas+"/"+region, coordinates(r.Mask), c.ints(nsdFile, name))
		checked++
	}
	c.that(checked > 0, "%s: no regions of %s", nsdFile, s)
	mask := c.nsdMask(d, s)
	whole(c, "nsdgeneral", coordinates(mask), c.ints(nsdFile, string(s)+".nsdgeneral.voxels_xyz"))
	brain, err := d.Brain(s, "")
	c.must(err)
	want := c.nsdInfo().Subjects[s]
	c.that(mask.Len() == want.General && brain.Len() == want.Brain && brain.Shape == want.Shape,
		"nsdgeneral of %d and brain of %d voxels in %v, info.json says %d, %d, %v", mask.Len(), brain.Len(), brain.Shape, want.General, want.Brain, want.Shape)
}

func (c *check) nsdMask(d *nsd.Dataset, s fmri.Subject) fmri.Mask {
	r, err := d.Region(s, "", "nsdgeneral")
	c.must(err)
	return r.Mask
}

func (c *check) betas(ctx context.Context, d *nsd.Dataset, s fmri.Subject, m fmri.Mask, o nsd.BetaOptions) *fmri.Responses {
	r, err := d.Betas(ctx, s, m, o)
	c.must(err)
	return r
}

func nsdBetas(ctx context.Context, c *check, d *nsd.Dataset, s fmri.Subject) {
	p, mask := string(s)+".nsdgeneral.betas_psc.", c.nsdMask(d, s)
	r := c.betas(ctx, d, s, mask, nsd.BetaOptions{})
	c.relative("x slowest", r.X, c.float32s(nsdFile, p+"order_x_slowest"), betaTolerance)
	order := make([]int, mask.Len())
	for i := range order {
		order[i] = i
	}
	at := mask.FileIndex()
	slices.SortFunc(order, func(a, b int) int { return at[a] - at[b] })
	z := fmri.Mask{Shape: mask.Shape}
	for _, v := range order {
		z.Index = append(z.Index, mask.Index[v])
	}
	c.relative("z slowest", c.betas(ctx, d, s, z, nsd.BetaOptions{}).X, c.float32s(nsdFile, p+"order_z_slowest"), betaTolerance)
	raw := c.betas(ctx, d, s, mask, nsd.BetaOptions{Raw: true})
	for i := range raw.X {
		raw.X[i] /= 300
	}
	c.bits("stored integers over 300", raw.X, r.X)
}

// nsdBetasNIfTI reads the betas from .nii.gz, in a copy of the subject's files without the HDF5 ones.
func nsdBetasNIfTI(ctx context.Context, c *check, d *nsd.Dataset, s fmri.Subject) {
	dir, err := os.MkdirTemp("", "percept-verify")
	c.must(err)
	defer os.RemoveAll(dir)
	c.must(os.CopyFS(dir, os.DirFS(string(d.Paths))))
	files, err := d.SessionFiles(s, nsd.DefaultSpace, nsd.DefaultBetas)
	c.must(err)
	bare, err := nsd.Open(dir)
	c.must(err)
	for n := range files {
		err := os.Remove(bare.Paths.SessionBetas(s, nsd.DefaultSpace, nsd.DefaultBetas, n, "hdf5"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			c.must(err)
		}
	}
	r := c.betas(ctx, bare, s, c.nsdMask(bare, s), nsd.BetaOptions{})
	c.relative("betas", r.X, c.float32s(nsdFile, string(s)+".nsdgeneral.betas_psc.order_x_slowest"), betaTolerance)
}

func nsdAverages(ctx context.Context, c *check, d *nsd.Dataset, s fmri.Subject) {
	p, mask := string(s)+".", c.nsdMask(d, s)
	mean := c.betas(ctx, d, s, mask, nsd.BetaOptions{Average: true})
	c.relative("all images", mean.X, c.float32s(nsdFile, p+"nsdgeneral.average_all"), meanTolerance)
	design, err := d.Design()
	c.must(err)
	trials := c.betas(ctx, d, s, mask, nsd.BetaOptions{}).SplitBy(design.SharedSet())
	whole(c, "training trials", trials.Train, c.ints(nsdFile, p+"train.trials"))
	whole(c, "test trials", trials.Test, c.ints(nsdFile, p+"test.trials"))
	split := mean.SplitBy(design.SharedSet())
	for name, rows := range map[string][]int{"train": split.Train, "test": split.Test} {
		part := mean.Select(rows)
		whole(c, name+" images", part.Images, c.ints(nsdFile, p+name+".images"))
		c.relative(name+" images", part.X, c.float32s(nsdFile, p+name+".average"), meanTolerance)
	}
}

// nsdZScores compares z-scores. A voxel that is constant in a session has none there (0/0): the reference keeps how its
// mean was rounded, the program gives 0, and the comparison leaves these out.
func nsdZScores(ctx context.Context, c *check, d *nsd.Dataset, s fmri.Subject) {
	mask := c.nsdMask(d, s)
	r := c.betas(ctx, d, s, mask, nsd.BetaOptions{})
	z := c.betas(ctx, d, s, mask, nsd.BetaOptions{ZScore: true})
	want := c.float32s(nsdFile, string(s)+".nsdgeneral.zscored_per_session")
	if len(want) != len(z.X) {
		c.must(fmt.Errorf("%s: %d z-scores, want %d", nsdFile, len(want), len(z.X)))
	}
	want = slices.Clone(want)
	for v := range mask.Len() {
		lo, hi := make(map[int]float32), make(map[int]float32)
		for i, n := range r.Sessions {
			x := r.Row(i)[v]
			if _, seen := lo[n]; !seen {
				lo[n], hi[n] = x, x
			}
			lo[n], hi[n] = min(lo[n], x), max(hi[n], x)
		}
		for i, n := range r.Sessions {
			if lo[n] == hi[n] {
				want[i*mask.Len()+v] = 0
			}
		}
	}
	c.relative("z-scores", z.X, want, meanTolerance)
}

func nsdCeilings(_ context.Context, c *check, d *nsd.Dataset, s fmri.Subject) {
	snr, err := d.NoiseCeilingSNR(s, c.nsdMask(d, s), nsd.BetaOptions{})
	c.must(err)
	for name, trials := range map[string]float64{"noise_ceiling_1trial_percent": 1, "noise_ceiling_3trials_percent": 3} {
		percent := make([]float32, len(snr))
		for v := range snr {
			percent[v] = float32(100 * stats.NoiseCeiling(float64(snr[v]), trials))
		}
		c.relative(name, percent, c.float32s(nsdFile, string(s)+".nsdgeneral."+name), meanTolerance)
	}
}

func nsdImages(_ context.Context, c *check) {
	d := c.dataset()
	defer d.Close()
	const name = "images.first3"
	shape, want := c.shape(nsdFile, name, 4), c.ints(nsdFile, name)
	stimuli, err := d.Stimuli()
	c.must(err)
	c.that(stimuli.Len() == c.nsdInfo().Images, "%d images, info.json says %d", stimuli.Len(), c.nsdInfo().Images)
	if stimuli.Height != shape[1] || stimuli.Width != shape[2] {
		c.must(fmt.Errorf("images of %dx%d, the reference has %v", stimuli.Height, stimuli.Width, shape))
	}
	pixels := make([]uint8, shape[1]*shape[2]*shape[3])
	for id := range shape[0] {
		c.must(stimuli.Pixels(pixels, nsd.ImageID(id)))
		got := make([]int, len(pixels))
		for i, v := range pixels {
			got[i] = int(v)
		}
		whole(c, fmt.Sprintf("image %d", id), got, want[id*len(got):][:len(got)])
	}
}

func nsdCaptionTexts(ctx context.Context, c *check) {
	d := c.dataset()
	defer d.Close()
	b, err := c.set.read(nsdCaptions)
	c.must(err)
	var want map[string][]string
	c.must(json.Unmarshal(b, &want))
	got, err := d.Captions(ctx)
	c.must(err)
	for key, texts := range want {
		id, err := strconv.Atoi(key)
		c.must(err)
		c.that(slices.Equal(got[nsd.ImageID(id)], texts), "image %d: captions %q, the reference has %q", id, got[nsd.ImageID(id)], texts)
	}
}

// nsdVariant reads every variable of a .mat file: those of the design have to be the design's, others have to come as
// numbers or be refused by name.
func nsdVariant(c *check, file string) {
	path := c.set.path(file)
	names, err := array.Names(path)
	c.must(err)
	c.that(len(names) > 0, "%s: no variables", path)
	design, err := array.Names(c.dataset().Paths.ExpDesign())
	c.must(err)
	for _, name := range names {
		a, err := array.Read(path, name)
		if slices.Contains(design, name) {
			c.must(err)
			want, err := array.Read(c.dataset().Paths.ExpDesign(), name)
			c.must(err)
			c.that(slices.Equal(a.Shape, want.Shape) && slices.Equal(a.Data, want.Data), "%s: %s is not that of the design", path, name)
			continue
		}
		c.that(err == nil || strings.HasPrefix(err.Error(), path+": variable "+name), "%s: %v", name, err)
	}
}
