package doctor

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"percept/fmri"
	"percept/fmri/nsd"
)

func subjectName(n int) fmri.Subject { return fmri.Subject(fmt.Sprintf("subj%02d", n)) }

// subject looks at all of one subject.
func (e *examiner) subject(name fmri.Subject) *Subject {
	e.step(string(name))
	s := &Subject{Name: name, Atlases: []Atlas{}, Betas: []*Betas{}, Surfaces: []string{}}
	lacksBehaviour := e.behaviour(s)
	masks := e.masks(s)
	e.allBetas(s, masks)
	e.surfaces(s)
	e.analyses(s, masks, lacksBehaviour)
	return s
}

// behaviour reads which images were shown when.
func (e *examiner) behaviour(s *Subject) (lacks []string) {
	path := e.data.Paths.Responses(s.Name)
	if !exists(path) {
		return []string{e.short(path)}
	}
	if e.design == nil {
		return nil // said already: nothing can be held against it
	}
	trials, err := e.data.Trials(s.Name)
	if err != nil {
		do := again
		if e.countsFrom0(path, s.Name) {
			do = "add 1 to every 73KID: responses.tsv counts images from 1, nsd_stim_info_merged.csv from 0"
			err = fmt.Errorf("73KID counts from 0: every id is one lower than in nsd_expdesign.mat")
		}
		e.add(Damaged, path, do, "%v", err)
		return []string{e.short(path)}
	}
	s.Trials, s.PerSession, s.Repeats = len(trials), make(map[int]int), make(map[int]int)
	seen, shared := make(map[nsd.ImageID]int), make(map[nsd.ImageID]bool)
	for _, t := range trials {
		s.PerSession[t.Session]++
		seen[t.Image]++
		if t.Shared {
			shared[t.Image] = true
		}
	}
	for _, n := range seen {
		s.Repeats[n]++
	}
	s.Images, s.SharedSeen = len(seen), len(shared)
	for n := range s.PerSession {
		s.Sessions = append(s.Sessions, n)
	}
	slices.Sort(s.Sessions)
	planned := e.design.SessionTrials()
	for _, n := range s.Sessions {
		if n <= len(planned) && planned[n-1] != s.PerSession[n] {
			e.add(Damaged, path, again, "session %d has %d trials, nsd_expdesign.mat %d", n, s.PerSession[n], planned[n-1])
		}
	}
	if gaps := missingBetween(s.Sessions); len(gaps) > 0 {
		e.add(Missing, path, "fine if these sessions were held back; else get the file again", "no trials of %s; there are %s",
			nsd.Named(gaps), nsd.Ranges(s.Sessions))
	}
	return nil
}

// missingBetween lists the numbers from 1 to the last that are not there.
func missingBetween(n []int) []int {
	var gaps []int
	for k, i := 1, 0; i < len(n); k++ {
		if n[i] == k {
			i++
			continue
		}
		gaps = append(gaps, k)
	}
	return gaps
}

// countsFrom0 says whether the ids of a behaviour file are those of the design less 1.
func (e *examiner) countsFrom0(path string, s fmri.Subject) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	images := e.design.Images(s)
	column, row := -1, 0
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		fields := strings.Split(strings.TrimRight(sc.Text(), "\r"), "\t")
		if column < 0 {
			if column = slices.Index(fields, "73KID"); column < 0 {
				return false
			}
			continue
		}
		if column >= len(fields) || row >= len(images) {
			return false
		}
		id, err := strconv.Atoi(fields[column])
		if err != nil || id != nsd.To73k(images[row])-1 {
			return false
		}
		row++
	}
	return row > 0
}

// analyses says what can be done.
func (e *examiner) analyses(s *Subject, m *masks, lacksBehaviour []string) {
	var lacksBetas, lacksNCSNR, lacksRegions, lacksBrain []string
	if !slices.ContainsFunc(s.Betas, func(b *Betas) bool { return len(b.Usable) > 0 }) {
		lacksBetas = []string{"betas of " + string(s.Name)}
	}
	if !slices.ContainsFunc(s.Betas, func(b *Betas) bool { return len(b.Usable) > 0 && b.NCSNR != nil }) {
		lacksNCSNR = []string{e.short(e.data.Paths.NCSNR(s.Name, nsd.DefaultSpace, nsd.DefaultBetas))}
	}
	if !slices.ContainsFunc(s.Atlases, func(a Atlas) bool { return len(a.Regions) > 0 && len(a.Unnamed) == 0 }) && !m.brain {
		lacksRegions = []string{e.short(e.data.Paths.ROI(s.Name, nsd.DefaultSpace, "streams"))}
	}
	if !m.brain {
		lacksBrain = []string{e.short(e.data.Paths.BrainMask(s.Name, nsd.DefaultSpace))}
	}
	responses := slices.Concat(e.lacksDesign, lacksBehaviour, lacksBetas)
	for _, name := range Analyses {
		a := Analysis{Name: name}
		switch name {
		case DecodeZ:
			a.Lacks = slices.Concat(responses, lacksRegions, e.lacksImages)
		case DecodeC:
			a.Lacks = slices.Concat(responses, lacksRegions, e.lacksCaptions)
		case Encode:
			a.Lacks = slices.Concat(responses, lacksBrain, e.lacksImages)
		case CaptionTexts:
			a.Lacks = e.lacksCaptions
		case NoiseCeiling:
			a.Lacks = slices.Concat(lacksBetas, lacksNCSNR)
		case Surfaces:
			a.Lacks = e.lacksSurfaces(s)
		}
		s.Analyses = append(s.Analyses, a)
	}
}
