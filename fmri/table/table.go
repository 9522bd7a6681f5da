package table

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"percept/fmri"
	"percept/tensor/linalg"
)

// A Table is a matrix with what is known of its rows and columns and of where it came from. Its values are read when they
// are asked for, by rows and by slabs of columns. A Table is not changed once it is made, and may be used by several
// goroutines; views of it share its values.
type Table struct {
	Name string // of the feature, "z", or of the part of the responses, "train"; names it in models and messages
	Rows Rows
	Cols Columns
	Meta map[string]string // what the values were made of and how, in the words of their file; nil where nothing is known
	Path string            // of the file or folder; empty for values in memory
	Sum  string            // sha256 of what the values come from, for manifests and models; Rows and Cols say which of them these are

	Note string // how rows and columns were found in a file that has axes of its own; empty where there is nothing to tell

	source source
	hint   string         // what to do about a value that is no number
	flaw   error          // the first value of an array that is no finite float32, as the file has it
	affine *[4][4]float64 // of an image's voxels, to millimetres; nil where not known
}

// Rows says what the rows of a table are. What is not known is nil.
type Rows struct {
	N        int
	Images   []fmri.ImageID // 0-based image of each row
	Counts   []int          // trials behind each row that is a mean
	Sessions []int          // recording session, from 1, of each row that is a trial
	Names    []string       // file name of each row's picture, where it is of no data set
}

// Columns says what the columns of a table are: the values of a feature in C order of its shape, or voxels.
type Columns struct {
	Shape  []int   `json:"shape"`            // of a row's values: [4, 64, 64] of a latent, [voxels] of responses
	Voxels *Voxels `json:"voxels,omitempty"` // nil for a feature
}

// N is the number of columns.
func (c Columns) N() int {
	n := 1
	for _, d := range c.Shape {
		n *= d
	}
	return n
}

// Check tells of a shape that values cannot have, and of what is said of other voxels than the shape has.
func (c Columns) Check() error {
	n := 1
	for _, d := range c.Shape {
		if d < 1 || n > maxValues/d {
			return fmt.Errorf("shape %v, expected sides of 1 or more and at most %d values", c.Shape, maxValues)
		}
		n *= d
	}
	v := c.Voxels
	switch {
	case len(c.Shape) == 0:
		return errors.New("no shape, expected that of a row's values")
	case v == nil:
		return nil
	case v.N != n:
		return fmt.Errorf("%d voxels, expected one for each of %d columns", v.N, n)
	case v.XYZ != nil && len(v.XYZ) != 3*n:
		return fmt.Errorf("%d coordinates of %d voxels, expected three of each", len(v.XYZ), n)
	case len(v.Member) != n*len(v.Regions):
		return fmt.Errorf("%d memberships of %d voxels in %d regions, expected one of each", len(v.Member), n, len(v.Regions))
	}
	if i := slices.IndexFunc(v.Member, func(m uint8) bool { return m > 1 }); i >= 0 {
		return fmt.Errorf("membership of voxel %d in region %s is %d, expected 0 or 1", i/len(v.Regions), v.Regions[i%len(v.Regions)],
			v.Member[i])
	}
	return nil
}

// String is "4×64×64".
func (c Columns) String() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(c.Shape), "[]"), " ", "×")
}

// A source has the values of a table. What it opens is held until the reader is closed, and no longer: pages of a mapped file
// count as the program's own memory.
type source interface {
	open() (reader, error)
	held() int64 // bytes of memory that the values are in
}

// A reader reads rows in any order. One goroutine may use it at a time.
type reader interface {
	// read puts columns lo to hi−1 of row i into dst.
	read(dst []float32, i, lo, hi int) error
	Close() error
}

// Len is the number of rows.
func (t *Table) Len() int { return t.Rows.N }

// Width is the number of columns.
func (t *Table) Width() int { return t.Cols.N() }

// String names the table in a message: its path, or else its name.
func (t *Table) String() string {
	if t.Path != "" {
		return t.Path
	}
	return t.Name
}

// Matrix reads all of the table, [Len, Width].
func (t *Table) Matrix(ctx context.Context) (linalg.Matrix[float32], error) {
	return t.Slab(ctx, 0, t.Width())
}

// Slab reads columns lo to hi−1 of all rows, [Len, hi−lo]; of a table in memory it is a view, and must not be changed. A value
// that is no finite number is an error that names its row and column.
func (t *Table) Slab(ctx context.Context, lo, hi int) (linalg.Matrix[float32], error) {
	if lo < 0 || hi > t.Width() || lo > hi {
		return linalg.Matrix[float32]{}, fmt.Errorf("%s: columns %d to %d, expected some of %d", t, lo, hi-1, t.Width())
	}
	if err := ctx.Err(); err != nil {
		return linalg.Matrix[float32]{}, err
	}
	if in, ok := t.source.(memory); ok && lo < hi {
		m := in.x.Slice(0, in.x.Rows, lo, hi)
		for i := range m.Rows {
			if err := t.finite(m.Row(i), i, lo); err != nil {
				return m, t.counted(ctx, err)
			}
		}
		return m, nil
	}
	m := linalg.New[float32](t.Len(), hi-lo)
	r, err := t.source.open()
	if err != nil {
		return m, err
	}
	defer r.Close()
	for i := range t.Len() {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		row := m.Row(i)
		if err := r.read(row, i, lo, hi); err != nil {
			return m, err
		}
		if err := t.finite(row, i, lo); err != nil {
			return m, t.counted(ctx, err)
		}
	}
	return m, nil
}

// counted adds to the error of a value that is no number how many columns have such.
func (t *Table) counted(ctx context.Context, err error) error {
	if f, fault := t.Flaws(ctx); fault == nil && len(f.NaN) > 1 {
		return fmt.Errorf("%w; %d of %d columns have such values", err, len(f.NaN), t.Width())
	}
	return err
}

// finite tells the first value of a row that is no number.
func (t *Table) finite(row []float32, i, lo int) error {
	for j, v := range row {
		if v-v != 0 {
			of := ""
			if t.Rows.Images != nil {
				of = fmt.Sprintf(" (image %d)", t.Rows.Images[i])
			}
			if v := t.Cols.Voxels; v != nil && v.XYZ != nil {
				of += fmt.Sprintf(", voxel %v", v.XYZ[3*(lo+j):][:3])
			}
			return fmt.Errorf("%s: row %d%s, column %d is %v, expected a finite number%s", t, i, of, lo+j, v, t.hint)
		}
	}
	return nil
}

// A Reader reads whole rows in any order, until it is closed. One goroutine may use it at a time.
type Reader struct {
	table  *Table
	reader reader
}

// Open readies the table for Reader.Row.
func (t *Table) Open() (*Reader, error) {
	r, err := t.source.open()
	if err != nil {
		return nil, err
	}
	return &Reader{t, r}, nil
}

// Row puts row i into dst, [Width].
func (r *Reader) Row(dst []float32, i int) error {
	t := r.table
	if i < 0 || i >= t.Len() || len(dst) != t.Width() {
		return fmt.Errorf("%s: row %d into %d values, expected one of %d rows and %d values", t, i, len(dst), t.Len(), t.Width())
	}
	if err := r.reader.read(dst, i, 0, len(dst)); err != nil {
		return err
	}
	return t.finite(dst, i, 0)
}

// Close lets go of what Open opened.
func (r *Reader) Close() error { return r.reader.Close() }

// Distinct is the images of a table in the order of their first row, each once.
func (r Rows) Distinct() []fmri.ImageID {
	seen, ids := make(map[fmri.ImageID]bool, len(r.Images)), []fmri.ImageID(nil)
	for _, id := range r.Images {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// Among counts the rows whose image is one of the given ones.
func (r Rows) Among(images []fmri.ImageID) (n int) {
	of := make(map[fmri.ImageID]bool, len(images))
	for _, id := range images {
		of[id] = true
	}
	for _, id := range r.Images {
		if of[id] {
			n++
		}
	}
	return n
}

// take is the given rows.
func (r Rows) take(rows []int) Rows {
	return Rows{len(rows), pick(r.Images, 1, rows), pick(r.Counts, 1, rows), pick(r.Sessions, 1, rows), pick(r.Names, 1, rows)}
}

// pick is the given rows of a matrix of some numbers a row; nil of none.
func pick[T any](of []T, width int, rows []int) []T {
	if len(of) == 0 {
		return nil
	}
	out := make([]T, 0, width*len(rows))
	for _, r := range rows {
		out = append(out, of[r*width:(r+1)*width]...)
	}
	return out
}

// check tells what does not fit together.
func (r Rows) check() error {
	for _, c := range []struct {
		what string
		n    int
		nil  bool
	}{{"images", len(r.Images), r.Images == nil}, {"counts", len(r.Counts), r.Counts == nil},
		{"sessions", len(r.Sessions), r.Sessions == nil}, {"names", len(r.Names), r.Names == nil}} {
		if !c.nil && c.n != r.N {
			return fmt.Errorf("%d %s of %d rows, expected one of each", c.n, c.what, r.N)
		}
	}
	if i := slices.IndexFunc(r.Images, func(id fmri.ImageID) bool { return id < 0 }); i >= 0 {
		return fmt.Errorf("image %d of row %d, expected 0-based numbers", r.Images[i], i)
	}
	return nil
}

// sumOf is the sha256 of things that stand for the values of a table.
func sumOf(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		switch p := p.(type) {
		case []int:
			for _, v := range p {
				h.Write(binary.LittleEndian.AppendUint64(nil, uint64(v)))
			}
		case []float32:
			var b []byte
			for len(p) > 0 {
				n := min(len(p), 1<<12)
				b = b[:0]
				for _, v := range p[:n] {
					b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
				}
				h.Write(b)
				p = p[n:]
			}
		default:
			fmt.Fprintf(h, "%v\n", p)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
