package table

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"percept/fmri"
	"percept/weights/safetensors"
)

// ChunkRows is how many rows have one sum, and are computed and written together.
const ChunkRows = 32

// formatVersion changes with the meaning of a file. Files of format 1, which have no sum of what stands beside the values, are
// read as well.
const (
	formatVersion = "2"
	firstFormat   = "1"
)

// Spec says what a file holds, but for the values.
type Spec struct {
	Name   string            // of the feature, "z", or of responses
	Shape  []int             // of one row's values
	DType  safetensors.DType // F32 or F16
	Images []fmri.ImageID    // all that were asked for, also where Shard is a part of them; each once, unless rows have Sessions
	Names  []string          // file names of the images; nil where they are of a data set
	Meta   map[string]string
	Shard  Shard

	Counts   []int   // trials behind each row; nil where not known
	Sessions []int   // recording session of each row that is a trial, else nil
	Voxels   *Voxels // of responses

	format string // of a file that is there already; empty is formatVersion
}

// Shard is part K of N, from 1; the zero value is the whole.
type Shard struct{ K, N int }

// ParseShard reads "2/8".
func ParseShard(text string) (Shard, error) {
	a, b, ok := strings.Cut(text, "/")
	k, errK := strconv.Atoi(a)
	n, errN := strconv.Atoi(b)
	if !ok || errK != nil || errN != nil || k < 1 || k > n || n > maxShards {
		return Shard{}, fmt.Errorf("%q, expected a part of several as 2/8, at most of %d", text, maxShards)
	}
	return Shard{k, n}, nil
}

const maxShards = 9999

// String is "2/8", or empty for the whole.
func (s Shard) String() string {
	if s.N == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.K, s.N)
}

// rows is the range of the shard's rows among n: whole chunks, so that a chunk is computed the same way in all divisions.
func (s Shard) rows(n int) (lo, hi int) {
	if s.N == 0 {
		return 0, n
	}
	chunks := (n + ChunkRows - 1) / ChunkRows
	at := func(k int) int { return min(n, chunks*k/s.N*ChunkRows) }
	return at(s.K - 1), at(s.K)
}

// FileName is the name of a feature's file, or of a shard of it.
func FileName(name string, s Shard) string {
	if s.N == 0 {
		return name + ".safetensors"
	}
	return fmt.Sprintf("%s.shard-%04d-of-%04d.safetensors", name, s.K, s.N)
}

func (s *Spec) rows() Rows { return Rows{len(s.Images), s.Images, s.Counts, s.Sessions, s.Names} }

func (s *Spec) columns() Columns { return Columns{s.Shape, s.Voxels} }

// check tells what does not fit together.
func (s *Spec) check() error {
	chunks := (len(s.Images) + ChunkRows - 1) / ChunkRows
	switch {
	case s.Name == "":
		return errors.New("no name, expected that of a feature or of responses")
	case s.DType != safetensors.F32 && s.DType != safetensors.F16:
		return fmt.Errorf("%s as %s, expected F32 or F16", s.Name, s.DType)
	case len(s.Images) == 0 || len(s.Images) > maxImages:
		return fmt.Errorf("%s of %d images, expected 1 to %d", s.Name, len(s.Images), maxImages)
	case s.Shard != Shard{} && (s.Shard.K < 1 || s.Shard.K > s.Shard.N || s.Shard.N > chunks):
		// A part without a row could not be made, and then none of the others merged.
		return fmt.Errorf("shard %s of %d images, expected one of at most %d: each has whole groups of %d",
			s.Shard, len(s.Images), chunks, ChunkRows)
	}
	if err := cmp.Or(s.columns().Check(), s.rows().check()); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	seen := make(map[fmri.ImageID]bool, len(s.Images))
	for i, id := range s.Images {
		if int64(id) > math.MaxInt32 || seen[id] && s.Sessions == nil {
			return fmt.Errorf("image %d of row %d is there twice or beyond 32 bits, expected each once, or sessions of the rows", id, i)
		}
		seen[id] = true
	}
	for _, name := range s.Names {
		if strings.ContainsAny(name, "\n\r") || name == "" {
			return fmt.Errorf("file name %q, expected one without line breaks", name)
		}
	}
	return nil
}

// Bounds on what a file may say of itself.
const (
	maxValues = 1 << 28
	maxImages = 1 << 26
)

// layout is where everything lies in the file.
type layout struct {
	meta                  map[string]string
	head                  []byte // length and header
	images, tail          []byte // what lies before the values and behind the sums
	rows, rowBytes        int
	valuesAt, sumsAt, end int64
}

func (l layout) chunks() int { return (l.rows + ChunkRows - 1) / ChunkRows }

// chunk is the range of bytes of a chunk's values.
func (l layout) chunk(c int) (at int64, n int) {
	rows := min(ChunkRows, l.rows-c*ChunkRows)
	return l.valuesAt + int64(c)*ChunkRows*int64(l.rowBytes), rows * l.rowBytes
}

// int32s are numbers as a file has them.
func int32s[T ~int | ~int32](x []T) []byte {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// layout lays the file out. What it says depends on the spec alone.
func (s *Spec) layout() (layout, error) {
	if err := s.check(); err != nil {
		return layout{}, err
	}
	lo, hi := s.Shard.rows(len(s.Images))
	l := layout{rows: hi - lo, rowBytes: s.DType.Size() * s.columns().N(), images: int32s(s.Images[lo:hi])}
	meta := maps.Clone(s.Meta)
	if meta == nil {
		meta = map[string]string{}
	}
	sum := sha256.Sum256(int32s(s.Images))
	meta["feature"], meta["format"], meta["rows_per_chunk"] = s.Name, formatVersion, strconv.Itoa(ChunkRows)
	meta["request"] = hex.EncodeToString(sum[:])
	if s.Shard.N > 0 {
		meta["shard"] = s.Shard.String()
	}
	if s.Voxels != nil {
		space, err := json.Marshal(s.Voxels)
		if err != nil {
			return l, err
		}
		meta["space"] = string(space)
	}
	l.meta = meta
	type tensor struct {
		DType   safetensors.DType `json:"dtype"`
		Shape   []int             `json:"shape"`
		Offsets [2]int64          `json:"data_offsets"`
	}
	header := map[string]any{"__metadata__": meta}
	at := int64(0)
	if s.format != "" {
		meta["format"] = s.format
	}
	put := func(name string, dtype safetensors.DType, n int64, shape ...int) int64 {
		header[name] = tensor{dtype, shape, [2]int64{at, at + n}}
		at += n
		return at - n
	}
	put("images", safetensors.I32, int64(len(l.images)), l.rows)
	l.valuesAt = put("values", s.DType, int64(l.rows)*int64(l.rowBytes), append([]int{l.rows}, s.Shape...)...)
	l.sumsAt = put("sums", safetensors.U8, int64(l.chunks())*sha256.Size, l.chunks(), sha256.Size)
	tail := func(name string, dtype safetensors.DType, b []byte, shape ...int) {
		put(name, dtype, int64(len(b)), shape...)
		l.tail = append(l.tail, b...)
	}
	if s.Counts != nil {
		tail("counts", safetensors.I32, int32s(s.Counts[lo:hi]), l.rows)
	}
	if s.Sessions != nil {
		tail("sessions", safetensors.I32, int32s(s.Sessions[lo:hi]), l.rows)
	}
	if v := s.Voxels; v != nil && v.XYZ != nil {
		tail("voxels", safetensors.I32, int32s(v.XYZ), v.N, 3)
	}
	if v := s.Voxels; v != nil && len(v.Regions) > 0 {
		tail("rois", safetensors.U8, v.Member, v.N, len(v.Regions))
	}
	if s.Names != nil {
		b := []byte(strings.Join(s.Names[lo:hi], "\n"))
		tail("names", safetensors.U8, b, len(b))
	}
	sealed := meta["format"] != firstFormat
	if sealed {
		put("rest_sum", safetensors.U8, sha256.Size, sha256.Size)
	}
	text, err := json.Marshal(header)
	if err != nil {
		return l, err
	}
	for len(text)%64 != 56 { // so that the tensors begin at a multiple of 64
		text = append(text, ' ')
	}
	l.head = append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	if sealed {
		sum := restSum(l.head, l.images, l.tail)
		l.tail = append(l.tail, sum[:]...)
	}
	base := int64(len(l.head))
	l.valuesAt, l.sumsAt, l.end = l.valuesAt+base, l.sumsAt+base, at+base
	return l, nil
}

// restSum is the sum of all of a file but values and sums, in the order in which it lies there.
func restSum(parts ...[]byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// differing lists the keys in which two sets of metadata differ.
func differing(a, b map[string]string, except ...string) (keys []string) {
	for k, v := range a {
		if b[k] != v && !slices.Contains(except, k) {
			keys = append(keys, k)
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok && !slices.Contains(except, k) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}
