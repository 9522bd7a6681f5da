package nsd

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/internal/freesurfer"
	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/nifti"
)

// betaScale is what NSD multiplied percent signal change with to store it in 16 bits (NSD data manual, "Functional data").
const betaScale = 300

// SessionFile is a file of one session's betas whose header was read, and from which voxels can be read. Close it.
type SessionFile struct {
	Path   string
	Format string  // "hdf5", "nii.gz" or "mgh"
	Stored string  // type of the elements, "int16"
	Dims   []int   // as the file has them: HDF5 trials, z, y, x as h5py sees it; NIfTI x, y, z, trials; MGH vertices, 1, 1, trials
	Chunks []int   // of HDF5; nil where the data lie in one piece
	Scale  float32 // stored values over Scale are percent signal change

	Trials int
	Shape  [3]int // x, y, z; on fsaverage 2 hemispheres, vertices, 1

	betas *hdf5.Dataset
	file  *hdf5.File
	image *nifti.Image
	sides []*freesurfer.Image // left, right
}

// OpenSession reads the header of betas_sessionNN.hdf5 or .nii.gz, or of lh.betas_sessionNN.mgh and its right counterpart.
// Dimensions that cannot be those of betas are an error; whether they fit the volume and the trials is for the caller to
// say. NSD stores volumes as int16, 300 times percent signal change, and maps of fsaverage as percent signal change in
// float32; anything else is an error.
func OpenSession(path string) (*SessionFile, error) {
	switch {
	case strings.HasSuffix(path, ".hdf5"):
		return openHDF5Session(path)
	case strings.HasSuffix(path, ".mgh"):
		return openSurfaceSession(path)
	}
	return openNIfTISession(path)
}

func openHDF5Session(path string) (*SessionFile, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := newHDF5Session(path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

func newHDF5Session(path string, f *hdf5.File) (*SessionFile, error) {
	d, err := f.Dataset("betas")
	if err != nil {
		return nil, err
	}
	t := d.Type()
	s := &SessionFile{Path: path, Format: "hdf5", Stored: t.String(), Dims: d.Shape(), Chunks: d.Chunks(), Scale: betaScale, betas: d,
		file: f}
	if len(s.Dims) != 4 {
		return nil, fmt.Errorf("%s: betas of shape %v, expected trials, z, y, x", path, s.Dims)
	}
	s.Trials, s.Shape = s.Dims[0], [3]int{s.Dims[3], s.Dims[2], s.Dims[1]}
	if t.Class != hdf5.Fixed || t.Size != 2 || !t.Signed {
		return nil, fmt.Errorf("%s: betas are %s, expected int16 (percent signal change x 300)", path, t)
	}
	return s, nil
}

func openNIfTISession(path string) (*SessionFile, error) {
	img, err := nifti.Open(path)
	if err != nil {
		return nil, err
	}
	s := &SessionFile{Path: path, Format: "nii.gz", Stored: img.Type.String(), Dims: img.Dims, Scale: betaScale, image: img}
	if len(s.Dims) < 3 || len(s.Dims) > 4 {
		return nil, fmt.Errorf("%s: betas of dimensions %v, expected x, y, z, trials", path, s.Dims)
	}
	s.Trials, s.Shape = img.Volumes(), [3]int(s.Dims[:3])
	if img.Type != nifti.Int16 || (img.Slope != 0 && (img.Slope != 1 || img.Inter != 0)) {
		return nil, fmt.Errorf("%s: betas are %s with slope %v, expected int16 (percent signal change x 300) without scaling", path,
			img.Type, img.Slope)
	}
	return s, nil
}

// Files is the paths of what was opened: both hemispheres' of a surface.
func (s *SessionFile) Files() []string {
	if s.sides != nil {
		return []string{s.Path, RightOf(s.Path)}
	}
	return []string{s.Path}
}

// Close closes the file.
func (s *SessionFile) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Check compares the file with the trials and the volume that are expected of it.
func (s *SessionFile) Check(trials int, shape [3]int) error {
	if s.Shape != shape {
		return fmt.Errorf("%s: betas of a volume of %v voxels (x, y, z), the mask is of %v", s.Path, s.Shape, shape)
	}
	if s.Trials != trials {
		return fmt.Errorf("%s: betas of %d trials, responses.tsv has %d in that session", s.Path, s.Trials, trials)
	}
	return nil
}

// ElementSize is how many bytes a stored beta takes: 2 of int16, 4 of float32.
func (s *SessionFile) ElementSize() int {
	if s.sides != nil {
		return 4
	}
	return 2
}

// ReadStored reads the voxels of a mask as they are stored, int16 or float32, little-endian, into dst [Trials, voxels] of
// ElementSize bytes each. Of HDF5 only those voxels' chunks are read, in file order, after the index of chunks, which is read
// once however often ReadStored is called. A .nii.gz is read through from front to back every time. A mask of another volume
// is an error.
func (s *SessionFile) ReadStored(dst []byte, mask fmri.Mask) (err error) {
	if s.Shape != mask.Shape {
		return s.Check(s.Trials, mask.Shape)
	}
	bigEndian := true
	switch {
	case s.image != nil:
		bigEndian = s.image.BigEndian()
		err = s.image.ReadVoxels(dst, mask.FileIndex())
	case s.sides != nil: // which MGH files always are
		err = s.readVertices(dst, mask)
	default:
		bigEndian = s.betas.Type().BigEndian
		err = hdf5.ReadColumns(s.betas, dst, mask.FileIndex())
	}
	if size := s.ElementSize(); bigEndian && err == nil {
		for at := 0; at < len(dst); at += size {
			slices.Reverse(dst[at : at+size])
		}
	}
	return err
}

// Read is ReadStored with the stored numbers as float32, which holds each of them; dst is [Trials, voxels].
func (s *SessionFile) Read(dst []float32, mask fmri.Mask) error {
	size, le := s.ElementSize(), binary.LittleEndian
	stored := make([]byte, len(dst)*size)
	if err := s.ReadStored(stored, mask); err != nil {
		return err
	}
	for i := range dst {
		if size == 2 {
			dst[i] = float32(int16(le.Uint16(stored[2*i:])))
		} else {
			dst[i] = math.Float32frombits(le.Uint32(stored[4*i:]))
		}
	}
	return nil
}
