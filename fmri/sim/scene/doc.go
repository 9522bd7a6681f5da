// Package scene draws simple pictures that a person recognises (a red house under a tree, a
// boat on the water at night) together with captions and labels that say what is in them.
//
// A Scene is a plain description. Random makes one from a seed, Draw paints it at any size,
// Captions words it and Labels gives the vector of what it contains, independent of where:
//
//	seed ── Random ──> Scene ──┬── Draw(96)    image.RGBA
//	                           ├── Captions(5) "a red house next to a big tree at night"
//	                           └── Labels      [house 1, tree 1, ..., night 1, grass 1, ...]
//
// The embedded model is trained on such scenes and the simulated subjects look at them, each
// with seeds of its own. Shapes are bold and colours flat or softly graded, so that a small
// autoencoder with eight-fold reduction keeps them apart.
package scene
