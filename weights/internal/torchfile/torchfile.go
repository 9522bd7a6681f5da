// Package torchfile reads the files of torch.save: which tensors there are and where in the file they lie. It reads no
// value of any tensor, and of the pickle that describes them it takes the data and runs nothing.
//
//	zip     since torch 1.6: NAME/data.pkl, and each storage as the stored (not compressed) member NAME/data/KEY
//	legacy  before: five pickles in a row (magic number, protocol, system, contents, keys), then the storages
//
// The tar files of torch 0.1 are refused.
// Source: torch/serialization.py and torch/_utils.py of https://github.com/pytorch/pytorch.
package torchfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"percept/weights/internal/pickle"
)

// File is what a file holds.
type File struct {
	Format    string            // "torch zip" or "torch legacy"
	Root      any               // values of package pickle, and *Tensor
	Pickle    []byte            // what describes the tensors, a view of the file
	Sum       [sha256.Size]byte // of Pickle, and for zip files of the list of members
	Summed    bool              // Sum covers a sum of every storage
	BigEndian bool              // the storages are in the order of a big-endian machine
	Members   []Member          // of a zip file
	Budget    *pickle.Budget    // what is left of it

	file []byte
}

// A Tensor is a view of a storage.
type Tensor struct {
	DType   string // torch's name, such as "float16"
	Shape   []int
	Strides []int  // in elements, one for each dimension
	Problem string // why the values cannot be read

	storage    *storage
	offset     int // of the first element
	begin, end int // in the storage, in bytes
}

// Data returns the bytes from the first element to the one that lies farthest behind, a view of the file. A tensor with
// a Problem has none.
func (t *Tensor) Data() ([]byte, error) {
	if t.Problem != "" {
		return nil, nil
	}
	b, err := t.storage.contents()
	if err != nil {
		return nil, err
	}
	return b[t.begin:t.end:t.end], nil
}

// storage is a block of bytes that tensors share.
type storage struct {
	key   string
	dtype string // of the class by which it was first named
	bytes int
	open  func() ([]byte, error) // nil where it is not in the file
	root  *storage               // where this is a part of another, or the same under another type
	at    int                    // in root
}

// sizes are the bytes of an element, for all types that a storage may have.
var sizes = map[string]int{
	"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "bool": 1,
	"uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1, "complex128": 16, "complex64": 8, "complex32": 4,
	"float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1, "float4_e2m1fn_x2": 1,
	"qint8": 1, "quint8": 1, "qint32": 4, "quint4x2": 1, "quint2x4": 1,
}

// storageTypes are the element types of the storage classes.
var storageTypes = map[string]string{
	"DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
	"LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8",
	"BoolStorage": "bool", "ComplexDoubleStorage": "complex128", "ComplexFloatStorage": "complex64", "QInt8Storage": "qint8",
	"QUInt8Storage": "quint8", "QInt32Storage": "qint32", "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4",
	"UntypedStorage": "uint8",
}

// Is says whether b begins like a file of torch.save, or like one that Open can say something better about than that
// it is of no known format.
func Is(b []byte) bool { return isZip(b) || isPickle(b) || isTar(b) }

func isZip(b []byte) bool { return bytes.HasPrefix(b, []byte(localSignature)) }

// isPickle reports the PROTO opcode and another one. A safetensors file may begin with the same bytes, and then has an
// opening brace behind the eighth, which is no opcode.
func isPickle(b []byte) bool {
	return len(b) > 8 && b[0] == 0x80 && b[1] <= 5 && b[2] != 0 && b[8] != '{' || isMagicText(b)
}

func isTar(b []byte) bool { return len(b) > 262 && string(b[257:262]) == "ustar" }

// Open reads what a file holds. Errors do not name it.
func Open(b []byte) (*File, error) {
	f := &File{Budget: pickle.NewBudget(len(b)), file: b}
	var err error
	switch {
	case isZip(b):
		f.Format = "torch zip"
		err = f.readZip()
	case isPickle(b):
		f.Format = "torch legacy"
		err = f.readLegacy()
	case isTar(b):
		err = errors.New("a tar archive: the format of torch 0.1 is not read; load it with torch and save it again")
	default:
		err = errors.New("not a file of torch.save")
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// place finds a tensor's bytes in its storage and checks that they are there.
func (t *Tensor) place() error {
	size, ok := sizes[t.DType]
	if t.Problem != "" || t.storage == nil {
		return nil
	}
	if !ok {
		t.Problem = "dtype " + t.DType
		return nil
	}
	if !t.storage.there() {
		return fmt.Errorf("storage %q is not in the file", t.storage.key)
	}
	n := t.storage.bytes / size
	last, empty := t.offset, false // of the elements, the farthest
	for i, d := range t.Shape {
		if d == 0 {
			empty = true
			break
		}
		if t.Strides[i] > 0 && d-1 > (maxInt-last)/t.Strides[i] {
			return fmt.Errorf("a tensor of shape %v and strides %v is larger than memory", t.Shape, t.Strides)
		}
		last += (d - 1) * t.Strides[i]
	}
	switch {
	case empty:
	case last >= n:
		return fmt.Errorf("a tensor of shape %v, strides %v and offset %d needs %d elements, its storage %q has %d",
			t.Shape, t.Strides, t.offset, last+1, t.storage.key, n)
	default:
		t.begin, t.end = t.offset*size, (last+1)*size
	}
	return nil
}

const maxInt = int(^uint(0) >> 1)
