package doctor

import (
	"percept/fmri/internal/hdf5"
	"percept/fmri/nsd"
)

// lookAtDesign reads the design, which everything else is held against.
func (e *examiner) lookAtDesign() {
	path := e.data.Paths.ExpDesign()
	if !exists(path) {
		e.lacksDesign = []string{e.short(path)}
		return
	}
	d, err := e.data.Design()
	if err != nil {
		e.lacksDesign = []string{e.short(path)}
		e.add(Damaged, path, again, "%v", err)
		return
	}
	e.design = d
	e.report.Design = &Design{Subjects: d.Subjects(), Trials: d.Trials(), Shared: len(d.Shared), SessionTrials: d.SessionTrials()}
	if n := sum(d.SessionTrials()); n != 0 && n != d.Trials() {
		e.add(Damaged, path, again, "stimpattern shows %d images in all, masterordering has %d trials", n, d.Trials())
	}
}

func sum(x []int) int {
	n := 0
	for _, v := range x {
		n += v
	}
	return n
}

// lookAtImages opens the file of images.
func (e *examiner) lookAtImages() {
	path := e.data.Paths.Stimuli()
	if !exists(path) {
		e.lacksImages = []string{e.short(path)}
		return
	}
	fail := func(err error) {
		e.lacksImages = []string{e.short(path)}
		e.add(Damaged, path, again, "%v", err)
	}
	if err := truncatedHDF5(path); err != nil {
		fail(err)
		return
	}
	s, err := e.data.Stimuli()
	if err != nil {
		fail(err)
		return
	}
	r := &Stimuli{Images: s.Len(), Height: s.Height, Width: s.Width, Bytes: size(path)}
	e.report.Stimuli = r
	if f, err := hdf5.Open(path); err == nil {
		if d, err := f.Dataset("imgBrick"); err == nil {
			r.Chunks = d.Chunks()
		}
		f.Close()
	}
	// The first and the last image, and in a deep check a few between, have to be there.
	pixels := make([]uint8, s.Height*s.Width*3)
	n := 2
	if e.o.Deep {
		n = 9
	}
	for i := range n {
		id := nsd.ImageID(i * (s.Len() - 1) / (n - 1))
		if s.Len() == 0 {
			break
		}
		if err := s.Pixels(pixels, id); err != nil {
			fail(err)
			return
		}
	}
	if e.design == nil {
		return
	}
	highest := nsd.ImageID(-1)
	for _, id := range e.design.Shared {
		highest = max(highest, id)
	}
	for n := range e.design.Subjects() {
		for _, id := range e.design.Images(subjectName(n + 1)) {
			highest = max(highest, id)
		}
	}
	if int(highest) >= s.Len() {
		e.add(Damaged, path, "get the file again, or the design that belongs to it", "%d images, nsd_expdesign.mat shows image %d (73k id)",
			s.Len(), nsd.To73k(highest))
	}
}

// lookAtCaptions reads the table of images and the captions.
func (e *examiner) lookAtCaptions() {
	path := e.data.Paths.StimInfo()
	if !exists(path) {
		e.lacksCaptions = []string{e.short(path)}
		return
	}
	infos, err := e.data.StimulusInfos()
	if err != nil {
		e.lacksCaptions = []string{e.short(path)}
		e.add(Damaged, path, again, "%v", err)
		return
	}
	t := &Table{Images: len(infos)}
	shared, splits := make(map[nsd.ImageID]bool), make(map[string]bool)
	highest := nsd.ImageID(-1)
	for i, in := range infos {
		if i == 0 || int(in.Image) < t.First {
			t.First = int(in.Image)
		}
		highest = max(highest, in.Image)
		splits[in.Split] = true
		if in.Shared {
			shared[in.Image] = true
		}
	}
	t.Shared = len(shared)
	e.report.Table = t
	before := len(e.report.Problems)
	e.idsOfTable(path, shared, int(highest))
	if len(e.report.Problems) > before {
		e.lacksCaptions = append(e.lacksCaptions, e.short(path))
		return
	}
	for split := range splits {
		if file := e.data.Paths.Captions(split); !exists(file) {
			e.lacksCaptions = append(e.lacksCaptions, e.short(file))
		}
	}
	if len(e.lacksCaptions) > 0 {
		return
	}
	captions, err := e.data.Captions(e.ctx)
	if err != nil {
		if e.ctx.Err() == nil {
			e.lacksCaptions = append(e.lacksCaptions, "captions")
			e.add(Damaged, e.data.Paths.Captions("train2017"), "get COCO's captions of 2017 again", "%v", err)
		}
		return
	}
	c := &Captions{Images: len(captions)}
	for _, texts := range captions {
		c.Texts += len(texts)
	}
	e.report.Captions = c
}

// idsOfTable tells whether the table's ids count from 0, by the images that the design and the table call shared, and by
// how many images there are.
func (e *examiner) idsOfTable(path string, shared map[nsd.ImageID]bool, highest int) {
	const from0 = "take 1 off every nsdId: the table counts images from 0, responses.tsv and nsd_expdesign.mat from 1"
	if e.design != nil && len(shared) > 0 {
		same, shifted := 0, 0
		for _, id := range e.design.Shared {
			if shared[id] {
				same++
			}
			if shared[id+1] {
				shifted++
			}
		}
		n := len(e.design.Shared)
		switch {
		case same == n && len(shared) == n:
		case shifted == n && len(shared) == n:
			e.add(Damaged, path, from0, "nsdId counts from 1: all %d shared images are one higher than in nsd_expdesign.mat", n)
			return
		default:
			e.add(Damaged, path, "get the table and the design that belong together",
				"shared1000 marks %d images, of which nsd_expdesign.mat shares %d of %d", len(shared), same, n)
			return
		}
	}
	if s, t := e.report.Stimuli, e.report.Table; s != nil {
		switch {
		case t.First == 1 && highest == s.Images:
			e.add(Damaged, path, from0, "nsdId goes from 1 to %d, nsd_stimuli.hdf5 has %d images", highest, s.Images)
		case highest >= s.Images:
			e.add(Damaged, path, again, "nsdId goes up to %d, nsd_stimuli.hdf5 has %d images, the last of which is %d", highest, s.Images,
				s.Images-1)
		}
	}
}
