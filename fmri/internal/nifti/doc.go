// Package nifti reads and writes NIfTI-1 images (.nii, .nii.gz), and reads NIfTI-2, pairs of files (.hdr and .img), files
// compressed with bzip2 and zstd, and the matrix of a CIFTI-2 file.
//
// # Writing
//
//	err := nifti.Write("streams.nii.gz", nifti.Header{Dims: []int{x, y, z}, Affine: nifti.Scaling(1.8)}, labels)
//
// with values of type uint8, int16, int32 or float32 in the order of the file, first index (x) fastest. A volume that
// does not fit in memory is written piece by piece:
//
//	w, err := nifti.Create[int16]("betas_session01.nii.gz", nifti.Header{Dims: []int{x, y, z, trials}})
//	defer w.Abort() // does nothing after Close
//	for each trial:
//		err = w.Append(volume)
//	err = w.Close()
//
// The file appears under its name when Close succeeds.
//
// # Reading
//
//	img, err := nifti.Open("streams.nii.gz")         // header only
//	labels, err := img.ReadAll()                     // []float32, scaled
//	err = img.ReadVoxels(stored, indices)            // 4-D: [volumes, voxels] as stored, one pass, only those voxels kept
//
// Of a file that is not compressed only what is asked for is read.
//
// Dimensions above 32767, which do not fit into NIfTI-1, are read where FreeSurfer puts them. Of CIFTI-2, shape, values and
// kinds of axes are read; which vertex, voxel or parcel a place of an axis is, is not read yet.
//
// Scaling follows the standard: a slope of 0 or NaN means none. A finite slope with an intercept that is not finite is
// an error, as in nibabel.
package nifti
