package scene

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Random composes a scene of one to three main objects on a ground under a sky. The same state
// of r gives the same scene.
func Random(r *rand.Rand) Scene {
	s := Scene{
		Time:    Time(weighted(r, 0.38, 0.22, 0.20, 0.20)),
		Ground:  Ground(weighted(r, 0.40, 0.18, 0.18, 0.24)),
		Horizon: between(r, 0.52, 0.68),
		Tone:    between(r, -1, 1),
	}
	mains := mainObjects(r, s)
	var back []Object
	hasMountain := r.Float64() < 0.32
	if light, ok := skyLight(r, s, mains, hasMountain); ok {
		back = append(back, light)
	}
	if hasMountain {
		size := kindShape[Mountain].height * between(r, 0.8, 1.2)
		m := Object{Kind: Mountain, X: between(r, 0.25, 0.75), Y: s.Horizon - size/2, Size: size,
			Colour: Gray, Shade: between(r, -1, 1), Flip: r.IntN(2) == 0}
		if covered(m, mains) < 0.6 {
			back = append(back, m)
		}
	}
	// Nearer objects stand lower in the picture and hide what is behind them.
	slices.SortStableFunc(mains, func(a, b Object) int {
		return cmp.Compare(a.Y+a.Size/2, b.Y+b.Size/2)
	})
	s.Objects = append(back, mains...)
	s.Clouds = clouds(r, s.Time, s.Objects)
	return s
}

// mainObjects picks and places what the scene is about.
func mainObjects(r *rand.Rand, s Scene) []Object {
	n := 1 + weighted(r, 0.46, 0.38, 0.16)
	kinds := []Kind{House, Tree, Pine, Car, Horse, Dog, Cat, Person}
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	if s.Ground == Water {
		n = 1 + weighted(r, 0.62, 0.38)
		kinds = []Kind{Boat, Boat}
	}
	used := make(map[Colour]bool)
	objects := make([]Object, 0, n)
	for i := range n {
		k := kinds[i]
		o := Object{Kind: k, Shade: between(r, -1, 1), Flip: r.IntN(2) == 0}
		// Two boats of one colour could not be told apart in words.
		for o.Colour = kindColour(r, k); k == Boat && used[o.Colour]; {
			o.Colour = kindColour(r, k)
		}
		used[o.Colour] = true
		place(r, s, &o, i, n)
		objects = append(objects, o)
	}
	return objects
}

// place gives object i of n a size and a position of its own.
func place(r *rand.Rand, s Scene, o *Object, i, n int) {
	shape := kindShape[o.Kind]
	slot := 1 / float64(n)
	scale := [...][2]float64{{0.95, 1.75}, {0.75, 1.3}, {0.7, 1.05}}[n-1]
	o.Size = min(shape.height*between(r, scale[0], scale[1]), 1.08*slot/shape.aspect, 0.78)
	if n == 1 {
		o.Size = min(o.Size, 0.86/shape.aspect)
	}
	margin := o.Width()/2 + 0.01
	switch n {
	case 1:
		o.X = between(r, 0.2, 0.8)
	default:
		o.X = slot*(float64(i)+0.5) + between(r, -0.035, 0.035)
	}
	o.X = min(max(o.X, margin), 1-margin)
	base := between(r, s.Horizon+0.08, 0.95)
	if o.Size > base-0.04 { // keep the top inside
		base = min(o.Size+0.04, 0.97)
		o.Size = min(o.Size, base-0.02)
	}
	o.Y = base - o.Size/2
}

// skyLight places the sun or the moon where no main object hides it; false if there is none.
func skyLight(r *rand.Rand, s Scene, mains []Object, hasMountain bool) (Object, bool) {
	chance := [numTimes]float64{Day: 0.65, Sunset: 0.85, Night: 0.8}[s.Time]
	if r.Float64() >= chance {
		return Object{}, false
	}
	o := Object{Kind: Sun, Colour: Yellow, Size: kindShape[Sun].height * between(r, 0.8, 1.15)}
	switch {
	case s.Time == Night:
		o.Kind, o.Colour, o.Flip = Moon, White, r.IntN(2) == 0
	case s.Time == Sunset:
		o.Colour = Orange
		o.Size *= 1.25
	}
	for range 24 {
		o.X = between(r, 0.12, 0.88)
		o.Y = between(r, 0.12, 0.2)
		if s.Time == Sunset && !hasMountain {
			o.Y = s.Horizon - o.Size*between(r, 0.15, 0.55)
		}
		if !slices.ContainsFunc(mains, func(m Object) bool { return overlap(o, m) }) {
			return o, true
		}
	}
	return Object{}, false
}

// overlap reports whether the boxes of a and b meet.
func overlap(a, b Object) bool {
	return math.Abs(a.X-b.X) < (a.Width()+b.Width())/2 && math.Abs(a.Y-b.Y) < (a.Size+b.Size)/2
}

// covered is the fraction of o's width that the others may stand before, at most.
func covered(o Object, others []Object) float64 {
	var sum float64
	for _, m := range others {
		right := min(o.X+o.Width()/2, m.X+m.Width()/2)
		left := max(o.X-o.Width()/2, m.X-m.Width()/2)
		sum += max(right-left, 0)
	}
	return sum / o.Width()
}

// clouds places clouds beside the sun, the moon and the main objects.
func clouds(r *rand.Rand, t Time, objects []Object) []Cloud {
	n := [numTimes]int{Day: 2, Sunset: 1, Overcast: 3}[t]
	if n == 0 {
		return nil
	}
	var list []Cloud
	for range r.IntN(n + 1) {
		c := Cloud{X: between(r, 0.05, 0.95), Y: between(r, 0.08, 0.3), Size: between(r, 0.09, 0.15)}
		hides := func(o Object) bool {
			return math.Abs(c.X-o.X) < 1.4*c.Size+o.Width()/2 && math.Abs(c.Y-o.Y) < (c.Size+o.Size)/2
		}
		if !slices.ContainsFunc(objects, hides) {
			list = append(list, c)
		}
	}
	return list
}

func between(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// weighted picks an index with the given probabilities, the last takes the rest.
func weighted(r *rand.Rand, p ...float64) int {
	u := r.Float64()
	for i, v := range p[:len(p)-1] {
		if u < v {
			return i
		}
		u -= v
	}
	return len(p) - 1
}
