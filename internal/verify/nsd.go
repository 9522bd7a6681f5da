package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"percept/fmri"
	"percept/fmri/array"
	"percept/fmri/nsd"
)

const (
	nsdRoot     = "nsd/nsd_root"
	nsdInfoFile = "nsd/info.json"
	nsdFile     = "nsd/expected.safetensors"
	nsdCaptions = "nsd/expected_captions_by_nsd_id_0based.json"
	nsdVariants = "nsd/variants/"
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

func (info nsdInfo) subjects() []fmri.Subject { return slices.Sorted(maps.Keys(info.Subjects)) }

// nsdCases are those of a folder in the layout of the Natural Scenes Dataset. What the direct reader of betas does is seen
// through the folders that are prepared with it, as users see it.
func nsdCases(s *set) []testCase {
	s.knows(nsdRoot + "/nsddata")
	var info nsdInfo
	if err := s.json(nsdInfoFile, &info); err != nil {
		s.lacks(nsdInfoFile, err)
		return nil
	}
	cases := []testCase{{"nsd: design and images' origins", nsdDesign}}
	for _, subject := range info.subjects() {
		for _, k := range []struct {
			name string
			run  func(*check, fmri.Subject)
		}{
			{"trials and shared images", nsdTrials},
			{"regions and voxels", nsdRegions},
			{"betas from HDF5", nsdBetas},
			{"betas from NIfTI", nsdBetasNIfTI},
			{"averages and split", nsdAverages},
			{"z-scores by session", nsdZScores},
			{"noise ceilings", nsdCeilings},
		} {
			cases = append(cases, testCase{"nsd: " + string(subject) + ": " + k.name, func(c *check) { k.run(c, subject) }})
		}
	}
	cases = append(cases, testCase{"nsd: images", nsdImages}, testCase{"nsd: captions", nsdCaptionTexts})
	for _, f := range s.under(nsdVariants) {
		cases = append(cases, testCase{"nsd: variant " + strings.TrimPrefix(f, nsdVariants), func(c *check) { nsdVariant(c, f) }})
	}
	return append(cases, testCase{"nsd: surfaces", nsdSurfaces})
}

// dataset opens the set's tree, or ends the case.
func (c *check) dataset() *nsd.Dataset {
	d := must(nsd.Open(c.set.path(nsdRoot)))
	c.atEnd(d.Close)
	return d
}

func (c *check) nsdInfo() nsdInfo { return fromJSON[nsdInfo](c, nsdInfoFile) }

// nsdDesign compares the design and the table of images with the reference, and info.json with both.
func nsdDesign(c *check) {
	d, info := c.dataset(), c.nsdInfo()
	for variable, tensor := range map[string]string{"masterordering": "masterordering", "basiccnt": "basiccnt",
		"sharedix": "sharedix_1based", "subjectim": "subjectim_1based", "stimpattern": "stimpattern"} {
		a := must(array.Read(d.Paths.ExpDesign(), variable))
		whole(c, variable, toInts(c, variable, a.Data), c.ints(nsdFile, "design."+tensor))
		if variable == "stimpattern" {
			c.that(slices.Equal(a.Shape[:min(2, len(a.Shape))], []int{info.Sessions, info.Runs}),
				"stimpattern: shape %v, info.json says %d sessions of %d runs",
				a.Shape, info.Sessions, info.Runs)
		}
	}
	design := must(d.Design())
	shared := c.ints(nsdFile, "design.sharedix_1based")
	for i := range shared {
		shared[i]--
	}
	whole(c, "shared images", design.Shared, shared)
	c.that(len(design.Shared) == info.Shared, "%d shared images, info.json says %d", len(design.Shared), info.Shared)
	infos := must(d.StimulusInfos())
	c.that(len(infos) == info.Images, "%d images, info.json says %d", len(infos), info.Images)
	var coco, train []int
	for _, in := range infos {
		coco = append(coco, in.COCO)
		train = append(train, flag(in.Split == "train2017"))
		c.that(in.Shared == design.SharedSet()[in.Image], "image %d: shared is %v in the table, not in the design", in.Image, in.Shared)
	}
	whole(c, "COCO ids", coco, c.ints(nsdFile, "stim.coco_id"))
	whole(c, "train2017", train, c.ints(nsdFile, "stim.is_train2017"))
	subjects := must(d.Subjects())
	c.that(slices.Equal(subjects, info.subjects()), "subjects %v, info.json has others", subjects)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func toInts(c *check, label string, x []float64) []int {
	out := converted[int](x)
	for i, v := range x {
		if float64(out[i]) != v {
			c.must(fmt.Errorf("%s: value %d is %v, expected a whole number", label, i, v))
		}
	}
	return out
}

func nsdTrials(c *check, s fmri.Subject) {
	d := c.dataset()
	trials := must(d.Trials(s))
	var images, sessions, shared, repeats []int
	for _, t := range trials {
		images, sessions = append(images, int(t.Image)), append(sessions, t.Session)
		shared, repeats = append(shared, flag(t.Shared)), append(repeats, t.Repeat)
	}
	for name, got := range map[string][]int{"nsd_id_0based": images, "session_1based": sessions, "is_shared": shared,
		"repeat_0based": repeats} {
		whole(c, name, got, c.ints(nsdFile, string(s)+".trial."+name))
	}
	first := nsd.FirstSeen(trials)
	whole(c, "first presentations", first, c.ints(nsdFile, string(s)+".stims_unique_first_seen_order"))
	info := c.nsdInfo()
	c.that(len(trials) == info.Trials && len(first) == info.PerPerson, "%d trials of %d images, info.json says %d of %d",
		len(trials), len(first), info.Trials, info.PerPerson)
	on := must(d.Sessions(s, nsd.DefaultSpace, nsd.DefaultBetas))
	c.that(len(on) == info.Sessions && len(trials) == len(on)*info.PerOne,
		"sessions %v, info.json says %d of %d trials", on, info.Sessions, info.PerOne)
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
func nsdRegions(c *check, s fmri.Subject) {
	d, prefix, checked := c.dataset(), string(s)+".roi.", 0
	for _, name := range c.open(nsdFile).Names() {
		rest, ok := strings.CutPrefix(name, prefix)
		rest, is := strings.CutSuffix(rest, ".voxels_xyz")
		atlas, region, found := strings.Cut(rest, ".")
		if !ok || !is || !found {
			continue
		}
		whole(c, atlas+"/"+region, coordinates(must(d.Region(s, "", atlas+"/"+region)).Mask), c.ints(nsdFile, name))
		checked++
	}
	c.that(checked > 0, "%s: no regions of %s", nsdFile, s)
	mask := must(d.Region(s, "", "nsdgeneral")).Mask
	whole(c, "nsdgeneral", coordinates(mask), c.ints(nsdFile, string(s)+".nsdgeneral.voxels_xyz"))
	brain, want := must(d.Brain(s, "")), c.nsdInfo().Subjects[s]
	c.that(mask.Len() == want.General && brain.Len() == want.Brain && brain.Shape == want.Shape,
		"nsdgeneral of %d and brain of %d voxels in %v, info.json says %d, %d, %v", mask.Len(), brain.Len(), brain.Shape, want.General,
		want.Brain, want.Shape)
}

func nsdImages(c *check) {
	const name = "images.first3"
	shape, want := c.shape(nsdFile, name, 4), c.ints(nsdFile, name)
	stimuli := must(c.dataset().Stimuli())
	c.that(stimuli.Len() == c.nsdInfo().Images, "%d images, info.json says %d", stimuli.Len(), c.nsdInfo().Images)
	if stimuli.Height != shape[1] || stimuli.Width != shape[2] {
		c.must(fmt.Errorf("images of %dx%d, the reference has %v", stimuli.Height, stimuli.Width, shape))
	}
	pixels := make([]uint8, size(shape[1:]))
	for id := range shape[0] {
		c.must(stimuli.Pixels(pixels, nsd.ImageID(id)))
		whole(c, fmt.Sprintf("image %d", id), pixels, want[id*len(pixels):][:len(pixels)])
	}
}

func nsdCaptionTexts(c *check) {
	var want map[string][]string
	c.must(json.Unmarshal(must(c.set.read(nsdCaptions)), &want))
	got := must(c.dataset().Captions(c.ctx))
	for key, texts := range want {
		id := must(strconv.Atoi(key))
		c.that(slices.Equal(got[nsd.ImageID(id)], texts), "image %d: captions %q, the reference has %q", id, got[nsd.ImageID(id)], texts)
	}
}

// nsdVariant reads every variable of a .mat file: those of the design have to be the design's, others have to come as
// numbers or be refused by name.
func nsdVariant(c *check, file string) {
	path, design := c.set.path(file), c.dataset().Paths.ExpDesign()
	names, known := must(array.Names(path)), must(array.Names(design))
	c.that(len(names) > 0, "%s: no variables", path)
	for _, name := range names {
		a, err := array.Read(path, name)
		if slices.Contains(known, name) {
			c.must(err)
			want := must(array.Read(design, name))
			c.that(slices.Equal(a.Shape, want.Shape) && slices.Equal(a.Data, want.Data), "%s: %s is not that of the design", path, name)
			continue
		}
		c.that(err == nil || strings.HasPrefix(err.Error(), path+": variable "+name), "%s: %v", name, err)
	}
}
