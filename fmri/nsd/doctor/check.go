package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/internal/cause"
)

// Options says what to look at.
type Options struct {
	Subjects []fmri.Subject // nil: all that have a folder
	Deep     bool           // read a sample of values of every file of betas; .nii.gz are read through

	// Progress, if not nil, is called with what is being looked at.
	Progress func(done, total int, what string)
}

// examiner gathers findings.
type examiner struct {
	ctx    context.Context
	o      Options
	data   *nsd.Dataset
	root   string
	report *Report
	design *nsd.Design // nil: not to be had

	lacksDesign   []string
	lacksImages   []string
	lacksCaptions []string

	done, total int
}

// Check looks at the tree at root. The error is for a folder that is no tree, for a subject that is not in it, and for an
// interruption; everything else is in the report.
func Check(ctx context.Context, root string, o Options) (*Report, error) {
	data, err := nsd.Open(root)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	e := &examiner{ctx: ctx, o: o, data: data, root: root, report: &Report{Root: root, Bytes: map[string]int64{}, Problems: []Problem{}}}
	there, err := data.Subjects()
	if err != nil {
		return nil, err
	}
	subjects := o.Subjects
	if subjects == nil {
		subjects = there
	}
	for _, s := range subjects {
		if !slices.Contains(there, s) {
			return nil, fmt.Errorf("%s: no folder of %s in nsddata/ppdata; there is %v", root, s, there)
		}
	}
	e.total = 4 + len(subjects)
	for _, s := range subjects {
		e.total += e.files(s)
	}
	for _, part := range []struct {
		what string
		look func()
	}{{"sizes", e.sizes}, {"design", e.lookAtDesign}, {"images", e.lookAtImages}, {"captions", e.lookAtCaptions}} {
		e.step(part.what)
		part.look()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	for _, s := range subjects {
		e.report.Subjects = append(e.report.Subjects, e.subject(s))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return e.report, nil
}

func (e *examiner) step(what string) {
	if e.o.Progress != nil {
		e.o.Progress(min(e.done, e.total), e.total, what)
	}
	e.done++
}

// files counts the files of betas of a subject, for progress.
func (e *examiner) files(s fmri.Subject) int {
	n := 0
	spaces, err := e.data.Spaces(s)
	if err != nil {
		return 0
	}
	for space, versions := range spaces {
		for _, v := range versions {
			entries, err := os.ReadDir(e.data.Paths.BetaFolder(s, space, v))
			if err == nil {
				n += len(entries)
			}
		}
	}
	return n
}

// add notes a problem. path is made relative to the root, also where what begins with it.
func (e *examiner) add(kind Kind, path, do, format string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok && errors.Is(err, fs.ErrPermission) {
			do = "make it readable for you"
		}
	}
	what := fmt.Sprintf(format, args...)
	what = strings.TrimPrefix(strings.TrimPrefix(what, path), ": ")
	p := Problem{Kind: kind, File: e.short(path), What: e.trim(what), Do: do}
	for _, known := range e.report.Problems {
		if known.File == p.File && known.What == p.What { // a link to nothing is met by size, and by what would read it
			return
		}
	}
	e.report.Problems = append(e.report.Problems, p)
}

// short is a path relative to the root.
func (e *examiner) short(path string) string {
	rel, err := filepath.Rel(e.root, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return filepath.ToSlash(rel)
}

// trim takes the root off paths within a text.
func (e *examiner) trim(text string) string {
	return strings.ReplaceAll(text, filepath.Clean(e.root)+string(filepath.Separator), "")
}

// again is the advice for files that are not what was distributed.
const again = "get the file again"

// sizes adds up what the folders of the root take, links followed.
func (e *examiner) sizes() {
	if root, err := os.Stat(e.root); err == nil {
		e.size(e.root, []os.FileInfo{root})
	}
}

// size adds up a folder that lies in others: above, of which it is the last. A link to one of those runs in a circle.
func (e *examiner) size(dir string, above []os.FileInfo) {
	const deepest = 64
	entries, err := os.ReadDir(dir)
	if err != nil {
		e.add(Note, dir, "make it readable, or leave it", "%v", cause.Of(err))
		return
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		info, err := os.Stat(path) // of what a link points to
		switch {
		case e.ctx.Err() != nil:
			return
		case err != nil:
			e.add(Damaged, path, "mend the link or get the file again", "%v", cause.Of(err))
		case info.IsDir() && slices.ContainsFunc(above, func(a os.FileInfo) bool { return os.SameFile(a, info) }):
			e.add(Note, path, "nothing: it is not followed; remove it if it serves no purpose", "a link to a folder that it lies in")
		case info.IsDir() && len(above) < deepest:
			e.size(path, append(above[:len(above):len(above)], info))
		case !info.IsDir():
			first, _, _ := strings.Cut(e.short(path), "/")
			e.report.Bytes[first] += info.Size()
		}
	}
}

// exists says whether a file or folder is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
