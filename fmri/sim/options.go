package sim

import "fmt"

// Options says what experiment to simulate. The zero value is a small experiment that a
// laptop writes in seconds and from which pictures can be decoded.
type Options struct {
	// Seed starts every random stream: pictures, brains, trial order, noise. The same options
	// give the same bytes.
	Seed uint64

	Subjects int // 1 to 8, named subj01 onwards; 0 means 2

	SharedImages  int // pictures that every subject sees (the test set); 0 means 40
	OwnImages     int // pictures that one subject alone sees (the training set); 0 means 400
	SharedRepeats int // trials of each shared picture, 1 to 3; 0 means 3
	OwnRepeats    int // trials of each own picture, 1 to 3; 0 means 2. A few get one more, so that sessions are full
	Sessions      int // scan sessions of equal length; 0 means 6
	Runs          int // runs of a session; 0 means 4
	ImageSize     int // width and height of a picture in pixels; 0 means 96

	// Shape is the functional volume of the first subject in voxels, X, Y, Z; zero means 24, 28, 22.
	// As in NSD no two neighbours have the same: every second subject gets 1, 2, 1 voxels more.
	Shape [3]int

	EarlyVoxels  int // voxels of streams label 1; 0 means 900
	MidVoxels    int // voxels of streams labels 2, 3 and 4 together; 0 means 150
	HigherVoxels int // voxels of streams labels 5, 6 and 7 together; 0 means 500

	// NCSNR multiplies the stated noise-ceiling signal-to-noise ratio of every voxel; 0 means 1.
	NCSNR float64
	// Null makes a brain that does not see: the same noise, the same files, no stimulus in any
	// voxel. Whatever is decoded from it is a leak.
	Null bool
}

// withDefaults fills the zero fields in.
func (o Options) withDefaults() Options {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	set(&o.Subjects, 2)
	set(&o.SharedImages, 40)
	set(&o.OwnImages, 400)
	set(&o.SharedRepeats, 3)
	set(&o.OwnRepeats, 2)
	set(&o.Sessions, 6)
	set(&o.Runs, 4)
	set(&o.ImageSize, 96)
	set(&o.EarlyVoxels, 900)
	set(&o.MidVoxels, 150)
	set(&o.HigherVoxels, 500)
	if o.Shape == [3]int{} {
		o.Shape = [3]int{24, 28, 22}
	}
	if o.NCSNR == 0 {
		o.NCSNR = 1
	}
	return o
}

// check tells the first option that cannot be simulated.
func (o Options) check() error {
	for _, c := range []struct {
		name        string
		got, lo, hi int
	}{
		{"Subjects", o.Subjects, 1, 8},
		{"SharedImages", o.SharedImages, 1, 1 << 16},
		{"OwnImages", o.OwnImages, 1, 1 << 16},
		{"SharedRepeats", o.SharedRepeats, 1, 3},
		{"OwnRepeats", o.OwnRepeats, 1, 3},
		{"Sessions", o.Sessions, 1, 99},
		{"Runs", o.Runs, 1, 99},
		{"ImageSize", o.ImageSize, mapSize, 4096},
		{"Shape[0]", o.Shape[0], 4, 512},
		{"Shape[1]", o.Shape[1], 4, 512},
		{"Shape[2]", o.Shape[2], 4, 512},
		{"EarlyVoxels", o.EarlyVoxels, 1, 1 << 24},
		{"MidVoxels", o.MidVoxels, 1, 1 << 24},
		{"HigherVoxels", o.HigherVoxels, 1, 1 << 24},
	} {
		if c.got < c.lo || c.got > c.hi {
			return fmt.Errorf("sim: option %s is %d, expected %d to %d", c.name, c.got, c.lo, c.hi)
		}
	}
	if !(o.NCSNR > 0 && o.NCSNR <= 100) {
		return fmt.Errorf("sim: option NCSNR is %g, expected more than 0 and at most 100", o.NCSNR)
	}
	return nil
}

// shapeOf is the functional volume of a 0-based subject.
func (o Options) shapeOf(subject int) [3]int {
	s := o.Shape
	if subject%2 == 1 {
		s[0], s[1], s[2] = s[0]+1, s[1]+2, s[2]+1
	}
	return s
}
