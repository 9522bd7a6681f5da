package scene

import (
	"math/rand/v2"
	"strings"
)

// Objects at least this far from their kind's usual height are called big or small.
const (
	bigFrom = 1.3
	smallTo = 0.82
)

// Captions words the scene in n phrasings as people do: each names all main objects, and most
// add colours, sizes, places, the ground, the light or what is behind. No two are alike unless
// the scene is too plain for n different ones.
func (s Scene) Captions(r *rand.Rand, n int) []string {
	seen := make(map[string]bool, n)
	list := make([]string, 0, n)
	for tries := 0; len(list) < n; tries++ {
		text := s.caption(r)
		if seen[text] && tries < 20*n {
			continue
		}
		seen[text] = true
		list = append(list, text)
	}
	return list
}

func (s Scene) caption(r *rand.Rand) string {
	var main []Object
	var mountain, light bool
	for _, o := range s.Objects {
		switch {
		case o.Kind.Main():
			main = append(main, o)
		case o.Kind == Mountain:
			mountain = true
		default:
			light = true
		}
	}
	words := []string{subject(r, main)}
	if r.Float64() < 0.75 {
		words = append(words, pick(r, groundPhrases[s.Ground]))
	}
	if r.Float64() < 0.8 {
		list := timePhrases[s.Time]
		if light && r.Float64() < 0.6 {
			list = lightPhrases[s.Time]
		}
		words = append(words, pick(r, list))
	}
	if mountain && r.Float64() < 0.8 {
		words = append(words, pick(r, mountainPhrases))
	}
	return strings.Join(words, " ")
}

var groundPhrases = [numGrounds][]string{
	Grass: {"on the grass", "in a green field", "on green grass", "in a meadow"},
	Snow:  {"in the snow", "on white snow", "on snowy ground", "in winter"},
	Sand:  {"on the sand", "on a beach", "in the desert", "on yellow sand"},
	Water: {"on the water", "on a lake", "on the sea", "on blue water"},
}

var timePhrases = [numTimes][]string{
	Day:      {"under a blue sky", "on a clear day", "by day", "during the day"},
	Sunset:   {"at sunset", "under an orange sky", "in the evening", "at dusk"},
	Night:    {"at night", "under a dark sky", "in the dark", "during the night"},
	Overcast: {"under a gray sky", "on a cloudy day", "under clouds", "on a gray day"},
}

// lightPhrases are for scenes that show the sun or the moon.
var lightPhrases = [numTimes][]string{
	Day:      {"on a sunny day", "under the sun", "with the sun in the sky", "under a yellow sun"},
	Sunset:   {"under an orange sunset", "with the sun going down", "in front of the setting sun"},
	Night:    {"under the moon", "with the moon in the sky", "on a night with a moon"},
	Overcast: {"under a gray sky"},
}

var mountainPhrases = []string{
	"with mountains behind", "in front of a mountain", "near the mountains", "with a mountain in the background",
}

// subject words the main objects and how they stand to each other. They are named from left to
// right or from right to left.
func subject(r *rand.Rand, main []Object) string {
	order := leftToRight(main)
	if r.IntN(2) == 0 {
		for i, j := 0, len(order)-1; i < j; i, j = i+1, j-1 {
			order[i], order[j] = order[j], order[i]
		}
	}
	noun := make([]string, len(order))
	for i, o := range order {
		noun[i] = nounPhrase(r, o)
	}
	switch len(order) {
	case 1:
		if r.Float64() < 0.5 {
			return noun[0] + " " + pick(r, placePhrases[placeOf(order[0])])
		}
		return noun[0]
	case 2:
		switch r.IntN(5) {
		case 0:
			return noun[0] + " next to " + noun[1]
		case 1:
			return noun[0] + " and " + noun[1]
		case 2:
			return noun[0] + " beside " + noun[1]
		case 3:
			return noun[0] + " with " + noun[1]
		}
		a, b := placePhrases[placeOf(order[0])][0], placePhrases[placeOf(order[1])][0]
		return noun[0] + " " + a + " and " + noun[1] + " " + b
	}
	if r.IntN(3) == 0 {
		return noun[1] + " between " + noun[0] + " and " + noun[2]
	}
	return noun[0] + ", " + noun[1] + " and " + noun[2]
}

func leftToRight(objects []Object) []Object {
	order := append([]Object(nil), objects...)
	for i := range order {
		for j := i; j > 0 && order[j].X < order[j-1].X; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	return order
}

// third is a third of the picture's width.
type third uint8

const (
	left third = iota
	centre
	right
)

func placeOf(o Object) third {
	switch {
	case o.X < 0.42:
		return left
	case o.X > 0.58:
		return right
	}
	return centre
}

var placePhrases = [...][]string{
	left:   {"on the left", "on the left side"},
	centre: {"in the middle", "in the centre"},
	right:  {"on the right", "on the right side"},
}

var nouns = [numKinds][]string{
	House: {"house", "house", "home"}, Tree: {"tree"}, Pine: {"pine tree", "fir tree", "pine"}, Boat: {"boat", "sailboat"},
	Car: {"car"}, Horse: {"horse"}, Dog: {"dog"}, Cat: {"cat"},
}

// nounPhrase is "a big red house", with some of the adjectives left out at times.
func nounPhrase(r *rand.Rand, o Object) string {
	var words []string
	if rel := o.relativeSize(); r.Float64() < 0.6 {
		switch {
		case rel > bigFrom:
			words = append(words, pick(r, []string{"big", "large"}))
		case rel < smallTo:
			words = append(words, pick(r, []string{"small", "little"}))
		}
	}
	coloured := r.Float64() < 0.85
	switch {
	case o.Kind == Person:
		words = append(words, pick(r, []string{"person", "man", "woman"}))
		if coloured {
			words = append(words, pick(r, []string{"in", "wearing"}), o.Colour.String())
		}
	case o.Kind == Pine:
		words = append(words, pick(r, nouns[Pine]))
	default:
		if coloured {
			words = append(words, o.Colour.String())
		}
		words = append(words, pick(r, nouns[o.Kind]))
	}
	article := "a "
	if strings.ContainsRune("aeiou", rune(words[0][0])) {
		article = "an "
	}
	return article + strings.Join(words, " ")
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
