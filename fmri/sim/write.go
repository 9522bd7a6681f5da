package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"percept/internal/cause"
)

// formatVersion changes whenever the same options give other bytes.
const formatVersion = 2

// manifestName is the file that makes a folder a finished simulation. It is written last.
const manifestName = "truth/simulation.json"

// Write simulates the experiment and writes it to dir, which must not exist, be empty, or hold
// the same simulation already; in that last case nothing is done. dir appears by a rename when it
// is complete: an interrupted call leaves nothing there. progress, which may be nil, is called
// from one goroutine at a time with the steps done, all steps, and what is being made.
//
// dir then holds nsddata, nsddata_betas and nsddata_stimuli as NSD has them, and truth, which
// only tests should read.
func Write(ctx context.Context, dir string, o Options, progress func(done, total int, what string)) error {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return err
	}
	if finished, err := alreadyWritten(dir, o); finished || err != nil {
		return err
	}
	tmp := filepath.Clean(dir) + ".partial"
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("sim: %s: leftover of an earlier run cannot be removed: %w", tmp, cause.Of(err))
	}
	if err := os.MkdirAll(tmp, 0o777); err != nil {
		return fmt.Errorf("sim: %s: cannot be made: %w", tmp, cause.Of(err))
	}
	if err := writeTree(ctx, tmp, o, progress); err != nil {
		os.RemoveAll(tmp)
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		os.RemoveAll(tmp)
		return fmt.Errorf("sim: %s: cannot be replaced: %w", dir, cause.Of(err))
	}
	if err := os.Rename(tmp, dir); err != nil {
		os.RemoveAll(tmp)
		return fmt.Errorf("sim: %s: cannot be made: %w", dir, cause.Of(err))
	}
	return nil
}

// alreadyWritten tells whether dir holds this very simulation. Another one, or anything else, is
// an error.
func alreadyWritten(dir string, o Options) (bool, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("sim: %s: %w", dir, cause.Of(err))
	case len(entries) == 0:
		return false, nil
	}
	path := filepath.Join(dir, filepath.FromSlash(manifestName))
	got, err := os.ReadFile(path)
	if err != nil {
		return false, fmt.Errorf("sim: %s is not empty and holds no simulation (%s: %w)", dir, path, cause.Of(err))
	}
	want, err := newManifest(o)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(got, want) {
		return false, fmt.Errorf("sim: %s holds a simulation of other options, see %s; expected a new or empty folder", dir, path)
	}
	return true, nil
}

// manifest says what was simulated.
type manifest struct {
	Format  int
	Options Options
}

func newManifest(o Options) ([]byte, error) {
	return json.MarshalIndent(manifest{formatVersion, o}, "", "\t")
}

// counter passes steps on to a progress function.
type counter struct {
	mu          sync.Mutex
	done, total int
	what        string
	report      func(done, total int, what string)
}

func (c *counter) begin(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.what = what
	c.tell()
}

func (c *counter) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	c.tell()
}

func (c *counter) tell() {
	if c.report != nil {
		c.report(c.done, c.total, c.what)
	}
}

// tree is an experiment on its way to the disk.
type tree struct {
	dir     string
	options Options
	design  *design
	stimuli []stimulus
	coco    []cocoImage // of each picture
	count   *counter
}

// path joins slash-separated parts under the tree's folder.
func (t *tree) path(format string, a ...any) string {
	return filepath.Join(t.dir, filepath.FromSlash(fmt.Sprintf(format, a...)))
}

func writeTree(ctx context.Context, dir string, o Options, progress func(done, total int, what string)) error {
	t := &tree{dir: dir, options: o, design: newDesign(o)}
	t.count = &counter{report: progress, total: t.design.images}
	for s := range o.Subjects {
		shape := o.shapeOf(s)
		t.count.total += shape[1] * shape[2] // rows of voxels
	}
	t.count.begin("drawing pictures")
	var err error
	if t.stimuli, err = drawStimuli(ctx, o, t.design.images, t.count.step); err != nil {
		return err
	}
	t.coco = t.drawCOCO()
	for _, write := range []func() error{
		t.writeStimuli, t.writeCaptions, t.writeDesign, t.writeStimInfo, t.writeTruth,
		func() error { return t.writeLabelTables("fsaverage") },
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := write(); err != nil {
			return err
		}
	}
	for s := range o.Subjects {
		t.count.begin("scanning " + subjectName(s))
		if err := t.writeSubject(ctx, s); err != nil {
			return err
		}
	}
	m, err := newManifest(o)
	if err != nil {
		return err
	}
	return writeFile(t.path(manifestName), m)
}

// subjectName is NSD's name of a 0-based subject.
func subjectName(s int) string { return fmt.Sprintf("subj%02d", s+1) }

// writeFile writes a file and the folders it needs.
func writeFile(path string, data []byte) error {
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = os.WriteFile(path, data, 0o666)
	}
	if err != nil {
		return fmt.Errorf("sim: %s: cannot be written: %w", path, cause.Of(err))
	}
	return nil
}
