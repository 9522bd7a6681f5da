package sim

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// design is the experiment as NSD lays one out: what the pictures are called, who sees which,
// and in what order. Pictures are numbered from 0; the files that count from 1 add it.
type design struct {
	images int     // all pictures of all subjects
	shared []int   // pictures that everybody sees, ascending
	own    [][]int // [subject] pictures that nobody else sees
	// order[t] is what trial t shows, as an index into seen; the same for all subjects. The first
	// len(shared) indices are the shared pictures.
	order    []int
	sessions int
	trials   int   // of one session
	runs     []int // trials of each run of a session
}

// newDesign draws one. Repeats of a picture are spread over sessions as long as there are enough.
func newDesign(o Options) *design {
	r := stream(o.Seed, forDesign)
	d := &design{sessions: o.Sessions, images: o.SharedImages + o.Subjects*o.OwnImages}

	// Shared pictures lie scattered among the others.
	ids := r.Perm(d.images)
	d.shared = ids[:o.SharedImages]
	slices.Sort(d.shared)
	for s := range o.Subjects {
		from := o.SharedImages + s*o.OwnImages
		d.own = append(d.own, ids[from:from+o.OwnImages])
	}

	repeats := make([]int, o.SharedImages+o.OwnImages)
	total := 0
	for i := range repeats {
		repeats[i] = o.OwnRepeats
		if i < o.SharedImages {
			repeats[i] = o.SharedRepeats
		}
		total += repeats[i]
	}
	// Own pictures get one trial more until the sessions are full, or, where nobody has room for
	// one, some get one less.
	for i := o.SharedImages; total%d.sessions != 0 && o.OwnRepeats < 3 && i < len(repeats); i++ {
		repeats[i]++
		total++
	}
	for i := len(repeats) - 1; total%d.sessions != 0 && total > d.sessions; i-- {
		i = max(i, 0)
		if repeats[i] > 0 {
			repeats[i]--
			total--
		}
		if i == 0 {
			i = len(repeats)
		}
	}
	d.trials = total / d.sessions
	d.order = spread(r, repeats, d.sessions, d.trials)
	for i := range o.Runs {
		d.runs = append(d.runs, (i+1)*d.trials/o.Runs-i*d.trials/o.Runs)
	}
	return d
}

// spread deals the repeats of each picture to the sessions with most room left, which gives
// different sessions to the repeats of one picture, and shuffles each session.
func spread(r *rand.Rand, repeats []int, sessions, trials int) []int {
	plan := make([][]int, sessions)
	byRepeats := r.Perm(len(repeats))
	slices.SortStableFunc(byRepeats, func(a, b int) int { return cmp.Compare(repeats[b], repeats[a]) })
	for _, image := range byRepeats {
		rooms := r.Perm(sessions)
		slices.SortStableFunc(rooms, func(a, b int) int { return cmp.Compare(len(plan[a]), len(plan[b])) })
		for i := range repeats[image] {
			s := rooms[i%sessions]
			for k := i; len(plan[s]) == trials; k++ { // more repeats than sessions
				s = rooms[k%sessions]
			}
			plan[s] = append(plan[s], image)
		}
	}
	for _, s := range plan {
		r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	}
	return slices.Concat(plan...)
}

// seen lists what a subject sees, in the order of subjectim: shared pictures first.
func (d *design) seen(subject int) []int {
	return slices.Concat(d.shared, d.own[subject])
}

// isShared tells whether everybody sees the picture.
func (d *design) isShared(image int) bool {
	_, ok := slices.BinarySearch(d.shared, image)
	return ok
}
