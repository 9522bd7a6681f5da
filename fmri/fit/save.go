package fit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"percept/fmri/table"
	"percept/internal/cause"
)

// Save is Fit to a file, whose folder is made. A model that is there already is left, and returned, if it is the very one;
// another is an error that says in what it differs.
func Save(ctx context.Context, path string, x, y *table.Table, o Options) (m *Model, upToDate bool, err error) {
	p, err := newPlan(x, y, o)
	if err != nil {
		return nil, false, err
	}
	if have, err := same(path, p.model); have != nil || err != nil {
		return have, true, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, false, fmt.Errorf("%s: its folder cannot be made: %w", path, cause.Of(err))
	}
	if err := p.run(ctx); err != nil {
		return nil, false, err
	}
	return p.model, false, p.model.Write(path)
}

// same reads the model that is at path if it is the one that m will be; nil if nothing is there.
func same(path string, m *Model) (*Model, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	have, err := Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w; remove it or choose another name", err)
	}
	for _, c := range []struct {
		what      string
		have, now any
	}{
		{"of another feature", []any{have.Y.Name, have.Y.Shape}, []any{m.Y.Name, m.Y.Shape}},
		{"of other voxels", []any{have.X.Voxels, have.Y.Voxels}, []any{m.X.Voxels, m.Y.Voxels}},
		{"with other options", have.Options, m.Options},
		{"of other images", have.Images, m.Images},
		{"from other inputs or by another program", have.Made, m.Made},
		{"from other inputs", have.Y.Meta, m.Y.Meta},
		{"from another feature", []any{have.X.Name, have.X.Shape, have.X.Meta}, []any{m.X.Name, m.X.Shape, m.X.Meta}},
	} {
		if !reflect.DeepEqual(c.have, c.now) {
			return nil, fmt.Errorf("%s: was made %s%s; expected the same or no file: remove it or choose another name",
				path, c.what, firstOf(c.have, c.now))
		}
	}
	return have, nil
}

// firstOf says in which key two things differ, in brackets.
func firstOf(have, now any) string {
	a, b := map[string]any{}, map[string]any{}
	for _, x := range []struct {
		v any
		m map[string]any
	}{{have, a}, {now, b}} {
		text, err := json.Marshal(x.v)
		if err != nil || json.Unmarshal(text, &x.m) != nil {
			return ""
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if !reflect.DeepEqual(a[k], b[k]) {
			return fmt.Sprintf(" (%s was %v, is %v)", k, a[k], b[k])
		}
	}
	return ""
}
