package prepare

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"percept/internal/cause"
	"percept/internal/filesum"
)

// formatVersion changes whenever the same tree and options give another folder.
const formatVersion = 1

// manifestName makes a folder a finished one.
const manifestName = "manifest.json"

// Manifest says what a folder holds and what it was made from.
type Manifest struct {
	Request
	Sessions []int   `json:"sessions_used"` // ascending, from 1
	Shape    [3]int  `json:"volume"`        // x, y, z
	Voxels   int     `json:"voxels"`
	NaN      int     `json:"nan_voxels"` // that are NaN or infinite in some row; betas on fsaverage have such
	Regions  []ROI   `json:"regions"`    // columns of rois.npy
	Betas    []Betas `json:"betas"`
	Arrays   []Array `json:"arrays"`
}

// Request is what decides over the bytes of a folder.
type Request struct {
	Format  int     `json:"format"`
	Version string  `json:"program"`
	Data    string  `json:"data"`
	Options Options `json:"options"`
	Inputs  []Input `json:"inputs"`
}

// ROI is a region and the number of its voxels that were taken.
type ROI struct {
	Name   string `json:"name"`
	Voxels int    `json:"voxels"`
}

// Input is a file that was read. Small files are known by their sum, betas by size and time of change.
type Input struct {
	Path   string `json:"path"` // relative to the tree
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
	Time   string `json:"time,omitempty"`
}

// Betas is what was read of one session.
type Betas struct {
	Session int    `json:"session"`
	Path    string `json:"path"`
	Trials  int    `json:"trials"`
	Stored  string `json:"stored"`
	SHA256  string `json:"sha256_read"` // of the chosen voxels' stored values: trials × voxels, voxels in file order, little-endian
}

// Array is a file of the folder.
type Array struct {
	File   string `json:"file"`
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	SHA256 string `json:"sha256"`
}

// input describes a file, with its sum if it is small.
func input(root, path string, sum bool) (Input, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Input{}, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		rel = path
	}
	in := Input{Path: filepath.ToSlash(rel), Bytes: info.Size()}
	if !sum {
		in.Time = info.ModTime().UTC().Format(time.RFC3339Nano)
		return in, nil
	}
	if in.SHA256, err = filesum.Hex(path); err != nil {
		return Input{}, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	return in, nil
}
