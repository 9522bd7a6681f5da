package prepare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"percept/fmri/nsd"
	"percept/fmri/table"
	"percept/internal/cause"
)

// A finished folder is the one that is asked for if it has the same options and format and was made from the same values. Small
// files are known by their sums, wherever they lie. Betas are known by size and time of change; those of another time, as of a
// copied tree, are read again, and what is read is compared with the sums that the manifest has of it.

// finished tells whether out holds the very result, which may take reading betas again.
func (j *job) finished(ctx context.Context) (bool, error) {
	f, err := j.folderThere()
	if f == nil || err != nil {
		return false, err
	}
	have, want := &f.Manifest.Request, &j.manifest.Request
	if f.Manifest.Format != table.FolderFormat {
		return false, fmt.Errorf("%s: holds responses in format %d, expected format %d, whose values or names differ; "+
			"remove it to make it anew, or name a new folder", j.out, f.Manifest.Format, table.FolderFormat)
	}
	if why, err := otherOptions(have.Options, want.Options); err != nil || why != "" {
		return false, errors.Join(err, fmt.Errorf("%s: holds responses made with other options (%s), expected a new folder", j.out, why))
	}
	changed, doubtful := compareInputs(have.Inputs, want.Inputs)
	if changed == "" && len(doubtful) > 0 {
		changed, err = j.compareBetas(ctx, f.Manifest.Betas, doubtful)
	}
	if err != nil {
		return false, err
	}
	if changed != "" {
		return false, fmt.Errorf("%s: holds responses made from other data (%s), expected a new folder", j.out, changed)
	}
	if len(doubtful) > 0 || have.Data != want.Data {
		f.Manifest.Request.Inputs, f.Manifest.Request.Data = want.Inputs, want.Data
		if err := f.Manifest.Write(j.out); err != nil && !errors.Is(err, os.ErrPermission) { // then the next run looks again
			return false, err
		}
	}
	return true, nil
}

// folderThere opens what lies at out; nil where there is nothing.
func (j *job) folderThere() (*table.Folder, error) {
	entries, err := os.ReadDir(j.out)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w, expected a folder or none", j.out, cause.Of(err))
	case len(entries) == 0:
		return nil, nil
	}
	f, err := table.OpenFolder(j.out)
	if err != nil {
		return nil, fmt.Errorf("%s: holds %s but is no finished folder of responses, expected a new or empty one (%w)",
			j.out, entries[0].Name(), err)
	}
	return f, nil
}

// otherOptions names the first option in which two requests differ.
func otherOptions(have, want json.RawMessage) (string, error) {
	var a, b map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(have, &a), json.Unmarshal(want, &b)); err != nil {
		return "", err
	}
	both := maps.Clone(a)
	maps.Copy(both, b)
	for _, k := range slices.Sorted(maps.Keys(both)) {
		x, _ := json.Marshal(a[k])
		y, _ := json.Marshal(b[k])
		if !bytes.Equal(x, y) {
			return fmt.Sprintf("%s was %s, is %s", k, x, y), nil
		}
	}
	return "", nil
}

// compareInputs names the first file that is another one, or lists those of which only the time is.
func compareInputs(have, want []table.Input) (changed string, doubtful []string) {
	was := make(map[string]table.Input)
	for _, in := range have {
		was[in.Path] = in
	}
	for _, in := range want {
		old, ok := was[in.Path]
		delete(was, in.Path)
		switch {
		case !ok:
			return in.Path + " was not read", nil
		case old.Bytes != in.Bytes || old.SHA256 != in.SHA256:
			return in.Path + " has changed", nil
		case old.Time != in.Time:
			doubtful = append(doubtful, in.Path)
		}
	}
	for path := range was {
		return path + " is read no more", nil
	}
	return "", doubtful
}

// compareBetas reads the betas of the sessions with doubtful files and names the first file whose values are not those of
// the sums.
func (j *job) compareBetas(ctx context.Context, sums []table.SessionBetas, doubtful []string) (changed string, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(j.out), ".betas-")
	if err != nil {
		return "", fmt.Errorf("%s: cannot be compared with the betas: %w", j.out, cause.Of(err))
	}
	defer os.RemoveAll(dir)
	for i, s := range sums {
		j.progress(len(sums) + i*j.total/max(1, len(sums)))
		f, err := j.session(s.Session)
		if err != nil {
			return "", err
		}
		suspect := ""
		for _, path := range f.Files() {
			if rel, err := filepath.Rel(j.manifest.Data, path); err == nil && slices.Contains(doubtful, filepath.ToSlash(rel)) {
				suspect = filepath.ToSlash(rel)
			}
		}
		same := true
		if suspect != "" {
			same, err = j.sameBetas(ctx, f, filepath.Join(dir, "betas"), s)
		}
		f.Close()
		if err != nil {
			return "", err
		}
		if !same {
			return suspect + " holds other values", nil
		}
	}
	return "", nil
}

// sameBetas says whether the chosen voxels of a session have the sum that they had.
func (j *job) sameBetas(ctx context.Context, f *nsd.SessionFile, path string, was table.SessionBetas) (bool, error) {
	if f.Trials != was.Trials || f.Stored != was.Stored {
		return false, nil
	}
	if err := extract(ctx, f, path, j.sel.mask); err != nil {
		return false, err
	}
	p, err := openPart(path, f, j.sel.mask, 1)
	if err != nil {
		return false, err
	}
	defer p.file.Close()
	sum, err := p.sum()
	return sum == was.SHA256, err
}
