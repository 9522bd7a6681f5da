package study

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/nsd"
)

// dataCheck compares an experiment with the tree of its data.
type dataCheck struct {
	Config
	*Faults
	data   *nsd.Dataset
	images map[fmri.ImageID]bool // that any subject has seen
	test   int                   // the most test images of a subject
}

// checkData tells what an experiment asks for and its tree lacks. What was said of a key is not looked up.
func (c Config) checkData(f *Faults) {
	if c.Simulate != nil || c.Data == "" {
		return
	}
	data, err := nsd.Open(c.Data)
	if err != nil {
		f.say("data", "data: %v, expected an NSD tree", err)
		return
	}
	defer data.Close()
	d := &dataCheck{Config: c, Faults: f, data: data, images: map[fmri.ImageID]bool{}}
	known, err := data.Subjects()
	if err != nil {
		d.say("data", "data: %v, expected an NSD tree", err)
		return
	}
	for _, name := range c.Subjects {
		switch s := fmri.Subject(name); {
		case !subjectName.MatchString(name): // said
		case !slices.Contains(known, s):
			d.say("subjects", "subjects has %s, expected some of those of the tree: %s", name, joined(known))
		default:
			d.subject(s)
		}
	}
	if n := c.Render.Images; d.test > 0 && n > d.test && c.pictures() && !d.about("render.images") {
		d.add("render.images", n, "0 for all, or up to the %d test images", d.test)
	}
	d.files()
}

// lacks notes a file of the tree that is not there or is not as it should be.
func (d *dataCheck) lacks(err error) {
	d.say("data", "data: %v, expected a whole tree: percept nsd check says what there is", err)
}

func joined[T ~string](names []T) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, ", ")
}

func (d *dataCheck) spaceAndBetas() (space, betas string) {
	return cmp.Or(d.Responses.Space, nsd.DefaultSpace), cmp.Or(d.Responses.Betas, nsd.DefaultBetas)
}

// subject looks up what is asked for of a subject.
func (d *dataCheck) subject(s fmri.Subject) {
	sessions, took := d.sessions(s)
	if len(sessions) > 0 {
		trials, err := d.data.Trials(s)
		if err == nil {
			d.trials(s, trials, sessions)
		}
	}
	var shape [3]int
	for _, side := range d.regions() {
		if roi, ok := d.region(s, side); ok {
			shape = roi.Mask.Shape
		}
	}
	if shape == [3]int{} {
		return
	}
	space, betas := d.spaceAndBetas()
	files, _ := d.data.SessionFiles(s, space, betas)
	for _, n := range sessions { // headers alone
		file, err := nsd.OpenSession(files[n])
		if err == nil {
			err = file.Check(took[n], shape)
			file.Close()
		}
		if err != nil {
			d.lacks(err)
		}
	}
}

// sessions is those that are asked for and whose betas are there, and how many trials each has.
func (d *dataCheck) sessions(s fmri.Subject) (there []int, took map[int]int) {
	space, betas := d.spaceAndBetas()
	if d.about("responses.space", "responses.betas") {
		return nil, nil
	}
	files, err := d.data.SessionFiles(s, space, betas)
	if err != nil || len(files) == 0 {
		spaces, e := d.data.Spaces(s)
		switch {
		case e != nil:
			d.lacks(e)
		case spaces[space] == nil:
			d.add("responses.space", space, "one that %s has betas in: %s", s, strings.Join(slices.Sorted(maps.Keys(spaces)), ", "))
		case !slices.Contains(spaces[space], betas):
			d.add("responses.betas", betas, "one that %s has in %s: %s", s, space, strings.Join(spaces[space], ", "))
		case err != nil:
			d.lacks(err)
		default:
			d.lacks(fmt.Errorf("%s: no betas of any session in it", d.data.Paths.BetaFolder(s, space, betas)))
		}
		return nil, nil
	}
	trials, err := d.data.Trials(s)
	if err != nil {
		d.lacks(err)
		return nil, nil
	}
	took = map[int]int{}
	for _, t := range trials {
		took[t.Session]++
	}
	chosen, err := nsd.ParseSessions(d.Responses.Sessions)
	if err != nil {
		return nil, nil // said
	}
	var lacking []int
	for _, n := range chosen.Of(slices.Sorted(maps.Keys(took))) {
		if took[n] > 0 && files[n] != "" {
			there = append(there, n)
		} else {
			lacking = append(lacking, n)
		}
	}
	if len(lacking) > 0 {
		var both []int
		for _, n := range slices.Sorted(maps.Keys(took)) {
			if files[n] != "" {
				both = append(both, n)
			}
		}
		d.add("responses.sessions", cmp.Or(d.Responses.Sessions, "all"),
			"some of the sessions that %s has trials and betas of: %s; there is no %s", s, cmp.Or(strings.ReplaceAll(nsd.Ranges(both), " ", ""), "none"), nsd.Ranges(lacking))
		return nil, nil
	}
	return there, took
}

// trials looks at how many images the chosen sessions have to fit and to test with.
func (d *dataCheck) trials(s fmri.Subject, trials []nsd.Trial, sessions []int) {
	training, tested := map[fmri.ImageID]bool{}, map[fmri.ImageID]bool{}
	for _, t := range trials {
		if !slices.Contains(sessions, t.Session) {
			continue
		}
		d.images[t.Image] = true
		if t.Shared {
			tested[t.Image] = true
		} else {
			training[t.Image] = true
		}
	}
	d.test = max(d.test, len(tested))
	if len(tested) < 2 {
		d.say("responses.sessions", "%s: %d test images in sessions %s, expected 2 or more", s, len(tested), nsd.Ranges(sessions))
	}
	for i, fit := range d.fits() {
		key := "decode.folds"
		if len(d.Fits) > i && d.Fits[i].Folds > 0 {
			key = fmt.Sprintf("fit.%d.folds", i+1)
		}
		if fit.Folds > len(training) && !d.about(key) {
			d.add(key, fit.Folds, "at most the %d training images of %s in sessions %s", len(training), s, nsd.Ranges(sessions))
		}
	}
}

// A regionKey is a region and the key that names it.
type regionKey struct{ region, key, atlasKey string }

// regions is every region that is asked for, and where.
func (d *dataCheck) regions() (all []regionKey) {
	for i, fit := range d.fits() {
		x, y := fit.operands()
		for _, o := range []struct {
			operand
			name string
		}{{x, "x"}, {y, "y"}} {
			if o.region == "" {
				continue
			}
			r := regionKey{region: o.region, key: fmt.Sprintf("fit.%d.%s", i+1, o.name)}
			r.atlasKey = r.key
			if len(d.Fits) == 0 {
				r.key, r.atlasKey = []string{"decode.early", "decode.higher"}[i], "decode.atlas"
			}
			if !d.about(r.key, r.atlasKey) {
				all = append(all, r)
			}
		}
	}
	return all
}

// region looks a region up.
func (d *dataCheck) region(s fmri.Subject, r regionKey) (roi fmri.ROI, ok bool) {
	space, betas := d.spaceAndBetas()
	atlas, _, _ := strings.Cut(r.region, "/")
	if !fileName.MatchString(atlas) {
		d.say(r.atlasKey, "%s: atlas %q, expected the name of a label volume, as streams", inFile(r.atlasKey), atlas)
		return roi, false
	}
	roi, err := d.data.Region(s, space, r.region)
	if err != nil {
		key, expected := r.key, ", expected regions of the atlas"
		if _, e := os.Stat(d.data.Paths.ROI(s, space, atlas)); e != nil {
			key = r.atlasKey
			if have, e := d.data.Atlases(s, space); e == nil && len(have) > 0 {
				expected = ", expected one of " + strings.Join(have, ", ")
			}
		}
		if !d.about("responses.space") {
			d.say(key, "%s: %v%s", inFile(key), err, expected)
		}
		return roi, false
	}
	if roi.Mask.Len() == 0 {
		d.say(r.key, "%s: %s: region %s has no voxel in this subject, expected some", inFile(r.key), s, r.region)
		return roi, false
	}
	if d.Decode.MinNCSNR > 0 && !d.about("decode.min_ncsnr", "responses.betas") {
		d.ncsnr(s, roi, space, betas)
	}
	return roi, true
}

// ncsnr looks whether a cut leaves anything of a region.
func (d *dataCheck) ncsnr(s fmri.Subject, roi fmri.ROI, space, betas string) {
	const key = "decode.min_ncsnr"
	values, err := d.data.NoiseCeilingSNR(s, roi.Mask, space, betas)
	if err != nil {
		d.say(key, "%s: %v, expected estimates to cut by", inFile(key), err)
		return
	}
	if !slices.ContainsFunc(values, func(x float32) bool { return float64(x) >= d.Decode.MinNCSNR }) {
		d.add(key, d.Decode.MinNCSNR, "less: no voxel of %s of %s would be left", roi.Name, s)
	}
}

// files looks for what features and pictures are made of.
func (d *dataCheck) files() {
	if len(d.images) == 0 {
		return
	}
	_, names := d.sides()
	made := d.Features.From == ""
	if made && slices.Contains(names, "z") || d.pictures() {
		stimuli, err := d.data.Stimuli()
		if err != nil {
			d.lacks(err)
		} else if last := slices.Max(slices.Collect(maps.Keys(d.images))); int(last) >= stimuli.Len() {
			d.say("data", "data: %s: %d images, expected more: image %d (0-based) was shown", d.data.Paths.Stimuli(), stimuli.Len(), last)
		}
	}
	if !made || !slices.Contains(names, "c") {
		return
	}
	infos, err := d.data.StimulusInfos()
	if err != nil {
		d.lacks(err)
		return
	}
	found := 0
	splits := map[string]bool{}
	for _, in := range infos {
		if d.images[in.Image] {
			found++
			splits[in.Split] = true
		}
	}
	if found < len(d.images) {
		d.say("data", "data: %s: has %d of %d images that were shown, expected all", d.data.Paths.StimInfo(), found, len(d.images))
	}
	for _, split := range slices.Sorted(maps.Keys(splits)) {
		if path := d.data.Paths.Captions(split); !isFile(path) {
			d.say("data", "data: %s: not there, expected COCO's captions of the images, which c is made of", path)
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
