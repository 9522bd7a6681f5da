package table

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"percept/fmri"
)

// Take is the table of the given rows, in the order given; a row may be taken more than once.
func (t *Table) Take(rows []int) (*Table, error) {
	if i := slices.IndexFunc(rows, func(r int) bool { return r < 0 || r >= t.Len() }); i >= 0 || len(rows) == 0 {
		return nil, fmt.Errorf("%s: rows %v, expected some of %d", t, rows[max(0, i):min(max(0, i)+1, len(rows))], t.Len())
	}
	v := *t
	v.Rows, v.Sum, v.source = t.Rows.take(rows), sumOf("rows", t.Sum, rows), takenRows{t.source, slices.Clone(rows)}
	return &v, nil
}

type takenRows struct {
	source
	rows []int
}

func (s takenRows) open() (reader, error) {
	r, err := s.source.open()
	return rowsReader{r, s.rows}, err
}

type rowsReader struct {
	reader
	rows []int
}

func (r rowsReader) read(dst []float32, i, lo, hi int) error {
	return r.reader.read(dst, r.rows[i], lo, hi)
}

// Shuffled is the table with the values of its rows in a random order under the same images: what is learnt from such pairs
// of brain and image is what can be known without a brain. With one seed all tables of the same number of rows move together.
func (t *Table) Shuffled(seed uint64) *Table {
	order := rand.New(rand.NewPCG(seed, 0x5348_5546)).Perm(t.Len())
	v := *t
	v.Sum, v.source = sumOf("shuffled", t.Sum, order), takenRows{t.source, order}
	return &v
}

// Select is the table of the given columns, in the order given. It is a table of voxels if t is one, else its values have no
// shape any more.
func (t *Table) Select(columns []int) (*Table, error) {
	if i := slices.IndexFunc(columns, func(c int) bool { return c < 0 || c >= t.Width() }); i >= 0 || len(columns) == 0 {
		return nil, fmt.Errorf("%s: columns %v, expected some of %d", t, columns[max(0, i):min(max(0, i)+1, len(columns))], t.Width())
	}
	v := *t
	v.Cols = Columns{Shape: []int{len(columns)}}
	if t.Cols.Voxels != nil {
		picked := t.Cols.Voxels.pick(columns)
		v.Cols.Voxels = &picked
	}
	v.Sum, v.source = sumOf("columns", t.Sum, columns), takenColumns{t.source, slices.Clone(columns)}
	return &v, nil
}

type takenColumns struct {
	source
	columns []int
}

func (s takenColumns) open() (reader, error) {
	r, err := s.source.open()
	return &columnsReader{reader: r, columns: s.columns}, err
}

type columnsReader struct {
	reader
	columns []int
	room    []float32
}

func (r *columnsReader) read(dst []float32, i, lo, hi int) error {
	if lo == hi {
		return nil
	}
	from, to := slices.Min(r.columns[lo:hi]), slices.Max(r.columns[lo:hi])+1
	r.room = slices.Grow(r.room[:0], to-from)[:to-from]
	if err := r.reader.read(r.room, i, from, to); err != nil {
		return err
	}
	for k, c := range r.columns[lo:hi] {
		dst[k] = r.room[c-from]
	}
	return nil
}

// Region is the table of the voxels that are in any of the given regions, in the order of t.
func (t *Table) Region(names ...string) (*Table, error) {
	if t.Cols.Voxels == nil {
		return nil, fmt.Errorf("%s: no regions are known of it, expected responses of voxels", t)
	}
	columns, err := t.Cols.Voxels.In(names...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	v, err := t.Select(columns)
	if err != nil {
		return nil, err
	}
	v.Cols.Voxels.Chosen, v.Sum = slices.Clone(names), t.Sum // as if the folder had been asked for them
	return v, nil
}

// Beside is tables of the same rows side by side: the columns of the first, then those of the second, and so on. Where several
// know the images of their rows they have to be the same. Of the rows it knows what the first of these knows.
func Beside(name string, tables ...*Table) (*Table, error) {
	if len(tables) == 0 {
		return nil, fmt.Errorf("table: %s: no tables, expected some to stand side by side", name)
	}
	first := tables[max(0, slices.IndexFunc(tables, func(t *Table) bool { return t.Rows.Images != nil }))]
	var s beside
	sums := []any{"beside"}
	for _, t := range tables {
		if t.Len() != first.Len() || t.Rows.Images != nil && !slices.Equal(t.Rows.Images, first.Rows.Images) {
			return nil, fmt.Errorf("%s: its %d rows are not those of %s, which has %d; expected the same images in the same order",
				t, t.Len(), first, first.Len())
		}
		s.of, s.starts = append(s.of, t.source), append(s.starts, s.width)
		s.width += t.Width()
		if sums = append(sums, t.Sum); t.Cols.Voxels != nil { // which the columns of the whole do not say
			sums = append(sums, *t.Cols.Voxels)
		}
	}
	return &Table{Name: name, Rows: first.Rows, Cols: Columns{Shape: []int{s.width}}, Sum: sumOf(sums...), source: s}, nil
}

type beside struct {
	of     []source
	starts []int // first column of each
	width  int
}

func (s beside) open() (reader, error) {
	r := &besideReader{starts: append(slices.Clone(s.starts), s.width)}
	for _, of := range s.of {
		one, err := of.open()
		if err != nil {
			r.Close()
			return nil, err
		}
		r.of = append(r.of, one)
	}
	return r, nil
}

func (s beside) held() (bytes int64) {
	for _, of := range s.of {
		bytes += of.held()
	}
	return bytes
}

type besideReader struct {
	of     []reader
	starts []int
}

func (r *besideReader) read(dst []float32, i, lo, hi int) error {
	for k, one := range r.of {
		from, to := max(lo, r.starts[k]), min(hi, r.starts[k+1])
		if from >= to {
			continue
		}
		if err := one.read(dst[from-lo:to-lo], i, from-r.starts[k], to-r.starts[k]); err != nil {
			return err
		}
	}
	return nil
}

func (r *besideReader) Close() (err error) {
	for _, one := range r.of {
		if e := one.Close(); err == nil {
			err = e
		}
	}
	return err
}

// ByImage is the table with a row for each of the images, in their order; t itself if its rows are of just these. An image that
// has no row, or else several, is an error.
func (t *Table) ByImage(ids []fmri.ImageID) (*Table, error) {
	if t.Rows.Images == nil {
		return nil, fmt.Errorf("%s: the images of its rows are not known, expected a table that says them", t)
	}
	if slices.Equal(ids, t.Rows.Images) {
		return t, nil
	}
	at := make(map[fmri.ImageID]int, t.Len())
	twice := map[fmri.ImageID]bool{}
	for i, id := range t.Rows.Images {
		if _, seen := at[id]; seen {
			twice[id] = true
		}
		at[id] = i
	}
	rows := make([]int, len(ids))
	for k, id := range ids {
		i, ok := at[id]
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: image %d (0-based) is not in it, expected one of its %d images", t, id, len(at))
		case twice[id]:
			return nil, fmt.Errorf("%s: image %d (0-based) has more than one row, expected one", t, id)
		}
		rows[k] = i
	}
	v, err := t.Take(rows)
	if err == nil {
		v.Sum = t.Sum // which images were taken, the other table's rows say
	}
	return v, err
}

// Has says whether every one of the images has a row.
func (t *Table) Has(ids []fmri.ImageID) bool { return t.lacks(ids) < 0 }

// lacks is the first of the images that has no row, or −1.
func (t *Table) lacks(ids []fmri.ImageID) fmri.ImageID {
	in := make(map[fmri.ImageID]bool, t.Len())
	for _, id := range t.Rows.Images {
		in[id] = true
	}
	for _, id := range ids {
		if !in[id] {
			return id
		}
	}
	return -1
}

// Join brings two tables to the same rows, by image: those of x where y has all of its images, else those of y where x has
// all of y's. One with a row for each image meets one with several, as single trials. Rows whose images are not known, of
// either table, meet in their order, and their number has to be the same.
func Join(x, y *Table) (*Table, *Table, error) {
	if x.Rows.Images == nil || y.Rows.Images == nil {
		known, other := y, x
		if x.Rows.Images != nil {
			known, other = x, y
		}
		switch {
		case x.Len() == y.Len() && !known.byImage():
			return x, y, nil
		case known.byImage():
			return nil, nil, fmt.Errorf("%s: has features by image, but the images of the rows of %s are not known, expected --images FILE",
				known, other)
		}
		return nil, nil, fmt.Errorf("%s: %d rows, expected %d as of %s", y, y.Len(), x.Len(), x)
	}
	lacking := y.lacks(x.Rows.Images)
	switch {
	case lacking < 0 && (len(y.Rows.Distinct()) == y.Len() || slices.Equal(x.Rows.Images, y.Rows.Images)):
		y, err := y.ByImage(x.Rows.Images)
		return x, y, err
	case x.Has(y.Rows.Images):
		x, err := x.ByImage(y.Rows.Images)
		return x, y, err
	case lacking < 0: // for each row of x there are several of y
		x, y, lacking = y, x, x.lacks(y.Rows.Images)
	}
	return nil, nil, fmt.Errorf("%s: image %d (0-based) of %s is not in it, expected a row of each of its images", y, lacking, x)
}

// byImage says whether rows can be found by their image alone: those of a file of features, which may be of more images.
func (t *Table) byImage() bool { return t.Rows.Images != nil && t.Cols.Voxels == nil && t.Meta != nil }
