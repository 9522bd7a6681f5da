package scene

// Time is the time of day, or the weather where it decides the light.
type Time uint8

// The lights a scene can stand in.
const (
	Day Time = iota
	Sunset
	Night
	Overcast
	numTimes
)

var timeNames = [numTimes]string{"day", "sunset", "night", "overcast"}

// String is the label of t.
func (t Time) String() string { return timeNames[t] }

// Ground is what the lower part of the picture shows.
type Ground uint8

// The grounds a scene can stand on.
const (
	Grass Ground = iota
	Snow
	Sand
	Water
	numGrounds
)

var groundNames = [numGrounds]string{"grass", "snow", "sand", "water"}

// String is the label of g.
func (g Ground) String() string { return groundNames[g] }

// Kind is what an object is.
type Kind uint8

// The kinds of objects. Sun, Moon and Mountain belong to the background, the others are the
// main objects of a scene.
const (
	House Kind = iota
	Tree
	Pine
	Boat
	Car
	Horse
	Dog
	Cat
	Person
	Sun
	Moon
	Mountain
	numKinds
)

var kindNames = [numKinds]string{
	"house", "tree", "pine", "boat", "car", "horse", "dog", "cat", "person", "sun", "moon", "mountain",
}

// String is the label of k.
func (k Kind) String() string { return kindNames[k] }

// Main reports whether objects of this kind are what a scene is about, not its background.
func (k Kind) Main() bool { return k < Sun }

// kindShape gives a main object's usual height as a fraction of the picture, and its width as a
// fraction of its height.
var kindShape = [numKinds]struct{ height, aspect float64 }{
	House: {0.40, 1.05}, Tree: {0.46, 0.74}, Pine: {0.48, 0.56}, Boat: {0.42, 0.90}, Car: {0.21, 1.95},
	Horse: {0.33, 1.15}, Dog: {0.26, 1.15}, Cat: {0.29, 0.66}, Person: {0.40, 0.40},
	Sun: {0.20, 1}, Moon: {0.18, 1}, Mountain: {0.26, 2.4},
}

// Object is one thing in a scene. All lengths are fractions of the picture's side.
type Object struct {
	Kind   Kind
	X, Y   float64 // centre, 0 left or top, 1 right or bottom
	Size   float64 // height
	Colour Colour
	Shade  float64 // lightness of this one, -1 to 1
	Flip   bool    // looks to the left
}

// Width is the object's width as a fraction of the picture's side.
func (o Object) Width() float64 { return o.Size * kindShape[o.Kind].aspect }

// relativeSize is the object's height over the usual one of its kind.
func (o Object) relativeSize() float64 { return o.Size / kindShape[o.Kind].height }

// Cloud is a white or grey cloud.
type Cloud struct{ X, Y, Size float64 }

// Scene describes a picture completely.
type Scene struct {
	Time    Time
	Ground  Ground
	Horizon float64 // height of the horizon, from the top
	Tone    float64 // small variation of the background colours, -1 to 1
	Clouds  []Cloud
	Objects []Object // in painter's order: the later hide the earlier
}

// MainObject is the largest of the scene's main objects, the one that colour labels speak of.
func (s Scene) MainObject() Object {
	var best Object
	area := -1.0
	for _, o := range s.Objects {
		if a := o.Size * o.Width(); o.Kind.Main() && a > area {
			best, area = o, a
		}
	}
	return best
}
