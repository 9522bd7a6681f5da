package array

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var writeFormats = flag.Bool("formats", false, "write docs/formats.md from what is read now")

// formatsPage is the table of formats that users read.
const formatsPage = "../../docs/formats.md"

// variants is what the files of testdata stand for, in the order of the page. A pattern is of files in the folders below, or,
// behind a colon, of datasets in such a file.
var variants = []struct{ format, variant, files string }{
	{"NIfTI-1, NIfTI-2", "plain; big-endian; every integer and float type; gzip", "nii_plain.nii nii_be.nii nii_u8.nii.gz nii_f32.nii.gz nii_v2.nii"},
	{"", "scaled; slope 0, NaN, infinite, negative", "nii_scl*.nii* nii_slope0.nii.gz slope_*.nii"},
	{"", "affine by quaternion, also longer than 1; by neither code", "nii_qform.nii quaternion_*.nii codes0*.nii"},
	{"", "fsaverage in NIfTI-1 (27307 × 1 × 6); vectors above 32,767", "ico7*.nii.gz long.nii.gz long.img.gz big.img"},
	{"", "pairs .hdr and .img, compressed or not", "packed.img.gz packed2.img.bz2"},
	{"", "gzip: several members, long names, zero padding; header sums", "nii_gz_two_members.nii.gz members.nii.gz name600.nii.gz comment5000.nii.gz padded1.nii.gz padded512.nii.gz headersum.nii.gz all.nii.gz"},
	{"", "bzip2, zstd", "b.nii.bz2 streams.nii.bz2 padded*.nii.bz2 z.nii.zst frames.nii.zst padded*.nii.zst"},
	{"", "bits per voxel of another type than said", "bitpix.nii"},
	{"", "cut, corrupt, lying", "nii_truncated.nii nii_dims_lie.nii nii_bad_magic.nii nii_gz_corrupt.nii.gz nii_gz_truncated.nii.gz nii_gz_bad_crc.nii.gz"},
	{"CIFTI-2", "dense, parcellated, labels, connectivity; scaled: maps × grayordinates, without where those lie", "x.d*.nii x.p*.nii scaled.dscalar.nii"},
	{"MGH, MGZ", "uint8, int16, int32, float32, uint16", "u8.mgz i16.mgh i32.mgh f32.mgh f32.mgz u16.mgz"},
	{"GIFTI", "text, base64, gzip, external file; spellings of other writers", "ASCII.gii B64BIN.gii B64GZ.gii* external.gii endian_*.gii spellings.gii"},
	{"", "column-major: binary, and text where one axis counts; no axis, no array", "column_*.gii scalar.gii none.gii"},
	{"FreeSurfer", "surfaces of triangles, with one newline, three, or tags", "lh.white lh.plain lh.one* lh.two* lh.three* lh.tags10 lh.lines10"},
	{"", "surfaces of quadrangles, both kinds", "lh.quad lh.quad_old"},
	{"", "curv, new and old; patch; label; annot", "lh.curv lh.curv_old lh.flat.patch.3d lh.V1.label lh.*.annot"},
	{"MATLAB", "5 to 7, both byte orders, compressed; of other writers", "all_v5.mat all_v5be.mat all_v5z.mat scipy_compressed.mat flags*.mat"},
	{"", "7.3; HDF5 named .mat with MATLAB's attributes", "all_v73.mat all_v73z.mat noheader.mat field.mat plain_hdf5.mat"},
	{"", "4, both byte orders", "v4.mat v4_big.mat"},
	{"npy, npz", "all versions; types with and without byte order; compressed", "order*.npy all.npz npz.npz npz_compressed.npz"},
	{"HDF5", "superblocks 0 to 3, all chunk indexes, user blocks of any size", "h5_earliest.h5 h5_latest.h5 small_*.h5 kinds_userblock*.h5 kinds_before4096.h5"},
	{"", "places never written, by fill time, allocation, layout", "kinds_places_*.h5:*"},
	{"", "sparse files larger than their bytes", "kinds_sparse_*.h5:*"},
	{"", "filter masks, also with bits beyond the filters", "kinds_masks_*.h5:*"},
	{"", "gzip, shuffle, fletcher32, LZF", "kinds_filters_*.h5:*lzf.* kinds_filters_*.h5:fletcher_*"},
	{"", "n-bit, scale-offset, szip", "kinds_nbit_*.h5:* kinds_filters_*.h5:nbit.* kinds_filters_*.h5:scaleoffset.* kinds_filters_*.h5:szip_* kinds_blocks_*.h5:szip_*"},
	{"", "zstd, bzip2, LZ4, bitshuffle", "kinds_filters_*.h5:zstd.* kinds_filters_*.h5:bzip2.* kinds_filters_*.h5:lz4* kinds_filters_*.h5:bitshuffle_* kinds_blocks_*.h5:lz4* kinds_blocks_*.h5:bitshuffle_*"},
	{"", "Blosc, Blosc2", "kinds_filters_*.h5:blosc* kinds_filters_*.h5:gzip_blosc.* kinds_blocks_*.h5:blosc*"},
	{"", "zfp, SZ3, SPERR", "kinds_named_*.h5:zfp kinds_named_*.h5:sz3 kinds_named_*.h5:sperr"},
	{"", "virtual datasets", "kinds_virtual_*.h5:* kinds_named_*.h5:virtual"},
	{"", "external storage", "kinds_named_*.h5:external"},
	{"", "integers and floats of any width, bitfields, enums, arrays, bfloat16, float8, long double", "kinds_types_*.h5:array* kinds_types_*.h5:*float* kinds_types_*.h5:bias* kinds_types_*.h5:bitfield* kinds_types_*.h5:enum* kinds_types_*.h5:int_* kinds_types_*.h5:longdouble"},
	{"", "h5py's truth values, of any byte", "bool_bytes.h5:*"},
	{"", "complex", "kinds_types_*.h5:*complex"},
	{"", "text, compound, opaque, variable length", "kinds_types_*.h5:text kinds_types_*.h5:compound kinds_types_*.h5:opaque kinds_types_*.h5:sequences"},
	{"", "not closed by their writer", "kinds_unclosed*.h5"},
	{"", "damaged signature", "h5_bad_signature.h5"},
}

// TestFormatsPage: docs/formats.md says what is read of the files in testdata, and every file there is on it.
func TestFormatsPage(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{} // name → path
	for _, folder := range []string{"testdata", "../internal/nifti/testdata", "../internal/freesurfer/testdata", "../internal/gifti/testdata",
		"../internal/matfile/testdata", "../internal/npy/testdata", "../internal/hdf5/testdata"} {
		found, err := filepath.Glob(folder + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if plain, ok := strings.CutSuffix(filepath.Base(path), ".h5.gz"); ok { // packed to be small
				path = inflate(t, path, filepath.Join(dir, plain+".h5"))
			}
			files[filepath.Base(path)] = path
		}
	}
	var page strings.Builder
	page.WriteString(`# Formats
What is read of each format, and what is named and refused. The table is made by a test from the files in the packages' testdata, which
the formats' own libraries wrote; values are compared with theirs in other tests. ` + "`percept inspect FILE`" + ` says the same of a file of yours.

| format | variant | files or datasets | |
|---|---|---|---|
`)
	shown := map[string]bool{}
	for _, v := range variants {
		read, n, why := 0, 0, map[string]bool{}
		for pattern := range strings.FieldsSeq(v.files) {
			pattern, inside, within := strings.Cut(pattern, ":")
			matched := 0
			for name, path := range files {
				if ok, err := filepath.Match(pattern, name); !ok || err != nil {
					continue
				}
				shown[name] = true
				for _, err := range readAll(path, inside, within) {
					matched++
					if err == nil {
						read++
					} else {
						why[plainReason(err.Error())] = true
					}
				}
			}
			if matched == 0 {
				t.Errorf("%s: nothing is like %s:%s", v.variant, pattern, inside)
			}
			n += matched
		}
		outcome := fmt.Sprintf("%d of %d read", read, n)
		if len(why) > 0 {
			reasons := []string{}
			for r := range why {
				reasons = append(reasons, r)
			}
			slices.Sort(reasons)
			outcome += "; others: " + strings.Join(reasons[:min(4, len(reasons))], "; ")
		} else if read == n {
			outcome = "read"
		}
		fmt.Fprintf(&page, "| %s | %s | %d | %s |\n", v.format, v.variant, n, outcome)
	}
	if *writeFormats {
		if err := os.WriteFile(formatsPage, []byte(page.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(formatsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page.String() {
		t.Errorf("docs/formats.md is not what is read now; go test ./fmri/array -run TestFormatsPage -args -formats writes it:\n%s", page.String())
	}
	for name := range files {
		if !shown[name] && regexp.MustCompile(`\.(nii|mat|gii|mg[hz]|h5|npz)(\.\w+)?$`).MatchString(name) && !notShown[name] {
			t.Errorf("%s is on no line of the page", name)
		}
	}
}

// notShown are files of testdata that show nothing of a format that others do not.
var notShown = map[string]bool{"hand.gii": true, "mat_edge_cases.mat": true, "nsd_expdesign.mat": true,
	"nsd_expdesign_uncompressed_small_ints.mat": true, "plain.nii": true, "kinds_beside.h5": true, "combos_earliest.h5": true,
	"combos_istore.h5": true, "combos_latest.h5": true, "combos_shared.h5": true, "combos_small4.h5": true, "combos_v108.h5": true,
	"combos_v110.h5": true, "combos_v112.h5": true, "long.hdr.gz": true}

// plainReason is an error without what is of one file alone.
func plainReason(text string) string {
	text = text[strings.LastIndex(text, "testdata/")+1:]
	text = regexp.MustCompile(`^\S*?:( \S+:)? (HDF5, )?`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`offset \d+: | [0-9a-f]{8,}|\|`).ReplaceAllString(text, "")
	return text
}

// readAll reads the arrays of a file, those of a pattern if within, and returns an error or nil for each.
func readAll(path, pattern string, within bool) (errs []error) {
	info, err := Inspect(path)
	if err != nil {
		return []error{err}
	}
	if !within {
		for _, a := range info.Arrays {
			if _, e := Read(path, a.Name); e != nil && a.Note == "" && err == nil {
				err = e
			}
		}
		return []error{err}
	}
	for _, a := range info.Arrays {
		if ok, e := filepath.Match(pattern, a.Name); ok && e == nil {
			_, e := Read(path, a.Name)
			errs = append(errs, e)
		}
	}
	return errs
}

// inflate writes what a gzip file holds.
func inflate(t *testing.T, from, to string) string {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return to
}
