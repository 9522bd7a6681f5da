package table

import (
	"encoding/json"
	"path/filepath"

	"percept/fmri"
	"percept/internal/atomicfile"
)

// FolderFormat is the version of a prepared folder that is written now. It changes whenever the same tree and options give
// another folder. In format 2 and 1 noise ceilings have the same name whatever the scale, and the manifest has no sum; in 1 responses were rounded to float32
// before they were z-scored and averaged.
const FolderFormat = 3

// manifestName makes a folder a finished one.
const manifestName = "manifest.json"

// Manifest says what a prepared folder holds and what it was made from.
type Manifest struct {
	Request
	Sessions []int  `json:"sessions_used"` // ascending, from 1
	Shape    [3]int `json:"volume"`        // x, y, z; on fsaverage 2 hemispheres, vertices, 1
	Voxels   int    `json:"voxels"`
	NaN      int    `json:"nan_voxels"`      // that are NaN or infinite in some row; betas on fsaverage have such
	Constant int    `json:"constant_voxels"` // that are alike in all training rows
	// The first of either, x, y, z; none where there is none.
	FirstNaN      []int          `json:"first_nan_voxel,omitempty"`
	FirstConstant []int          `json:"first_constant_voxel,omitempty"`
	Regions       []ROI          `json:"regions"` // columns of rois.npy
	Betas         []SessionBetas `json:"betas"`
	Arrays        []ArrayFile    `json:"arrays"`
	Sum           string         `json:"sha256,omitempty"` // of the manifest without it, as compact JSON
}

// Request is what decides over the bytes of a folder.
type Request struct {
	Format  int             `json:"format"`  // FolderFormat
	Version string          `json:"program"` // of what made it
	Data    string          `json:"data"`    // the tree's folder
	Options json.RawMessage `json:"options"` // of what made it, of which a reader needs origin alone
	Inputs  []Input         `json:"inputs"`
}

// origin is what a reader needs of the options.
type origin struct {
	Subject fmri.Subject `json:"subject"`
	Space   string       `json:"space"`
	Betas   string       `json:"beta_version"`
	ZScore  bool         `json:"zscore_sessions"`
	Takagi  bool         `json:"takagi"`
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
	Time   string `json:"time,omitempty"` // RFC 3339, UTC
}

// SessionBetas is what was read of one session.
type SessionBetas struct {
	Session int    `json:"session"` // from 1
	Path    string `json:"path"`    // name of the file
	Trials  int    `json:"trials"`
	Stored  string `json:"stored"`      // type of its elements, "int16"
	SHA256  string `json:"sha256_read"` // of the chosen voxels' stored values: trials × voxels, voxels in file order, little-endian
}

// ArrayFile is a .npy file of the folder.
type ArrayFile struct {
	File   string `json:"file"`  // its name
	DType  string `json:"dtype"` // as numpy writes it, "<f4"
	Shape  []int  `json:"shape"`
	SHA256 string `json:"sha256"`
}

// Write writes the manifest into a folder whose arrays are complete, which makes it a finished one.
func (m *Manifest) Write(dir string) error {
	var err error
	if m.Sum, err = m.own(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, manifestName), append(text, '\n'))
}
