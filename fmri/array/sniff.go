package array

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"percept/fmri/internal/freesurfer"
	"percept/fmri/internal/matfile"
	"percept/fmri/internal/source"
)

const hdf5Signature = "\x89HDF\r\n\x1a\n"

// sniff tells the format from the first bytes of a file, after decompression, and from the places where HDF5 may begin.
func sniff(path string) (*format, error) {
	f, err := source.Open(path, "compressed file")
	if err != nil {
		return nil, err
	}
	s, err := f.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	head, damage := s.Head(4096) // where the rest is damaged, the format's own reader says so
	begins := func(mark string) bool { return bytes.HasPrefix(head, []byte(mark)) }
	text := strings.TrimLeft(strings.TrimPrefix(string(head[:min(len(head), 256)]), "\ufeff"), " \t\r\n")
	switch {
	case strings.HasSuffix(path, ".annot"):
		return isAnnot, nil
	case strings.HasSuffix(source.Uncompressed(path), ".img"): // the voxels of a pair: the header tells
		return isNIfTI, nil
	case begins("\x00\x00\x00\x01") && len(head) >= 284:
		return isMGH, nil
	case begins("\x5c\x01\x00\x00"), begins("\x00\x00\x01\x5c"), begins("\x1c\x02\x00\x00"), begins("\x00\x00\x02\x1c"): // 348 or 540
		return isNIfTI, nil
	case strings.HasPrefix(text, "<?xml"), strings.HasPrefix(text, "<GIFTI"):
		return isGIFTI, nil
	case damage != nil:
		return nil, damage
	case f.Compressed():
		return nil, fmt.Errorf("%s: %s: what comes out is none of NIfTI, MGH and GIFTI", path, f.Compression)
	}
	if len(head) >= 128 && (string(head[126:128]) == "IM" || string(head[126:128]) == "MI") { // version 7.3 goes on as HDF5
		return isMAT, nil
	}
	if ok, err := isHDF5At(f); err != nil {
		return nil, err
	} else if ok && strings.EqualFold(filepath.Ext(path), ".mat") {
		// Other programs than MATLAB leave its header out; its attributes say that the axes are MATLAB's.
		if marked, err := matfile.IsMarked(path); err == nil && marked {
			return isMAT, nil
		}
		return isHDF5, nil
	} else if ok {
		return isHDF5, nil
	}
	switch {
	case begins("\x93NUMPY"):
		return isNPY, nil
	case begins("PK\x03\x04"), begins("PK\x05\x06"):
		return isNPZ, nil
	case begins("\xff\xff\xfe"):
		return isSurface, nil
	case begins("\xff\xff\xfd"):
		return isQuads, nil
	case freesurfer.IsOldQuadrangles(head, f.Size):
		return isOldQuads, nil
	case begins("\xff\xff\xff\xff"): // -1; a curv file goes on with the number of vertices, which is positive
		return isPatch, nil
	case begins("\xff\xff\xff"):
		return isCurv, nil
	case begins("#!ascii label"), strings.HasSuffix(path, ".label"):
		return isLabel, nil
	case matfile.IsV4(head, f.Size): // has no mark, as
		return isMAT, nil
	case freesurfer.IsOldCurv(head, f.Size):
		return isOldCurv, nil
	}
	return nil, fmt.Errorf("%s: is none of %s", path, known)
}

// isHDF5At looks for the signature in the places where HDF5 may begin: 0, 512, and every doubling.
func isHDF5At(f *source.File) (bool, error) {
	at, err := f.At()
	if err != nil {
		return false, err
	}
	defer at.Close()
	b := make([]byte, len(hdf5Signature))
	for i := int64(0); i+int64(len(b)) <= f.Size; i = max(512, 2*i) {
		if err := at.Read(b, i, "the signature of HDF5"); err != nil {
			return false, err
		}
		if string(b) == hdf5Signature {
			return true, nil
		}
	}
	return false, nil
}
