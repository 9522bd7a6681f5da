package nifti

import "math"

// setAffine follows nibabel: sform if it has a code, else qform if that has one, else voxel size about the centre of the
// dimensions as stored, x turned round as in ANALYZE, whose first axis ran from right to left.
func (img *Image) setAffine(qcode, scode int, dims []int64, pixdim [8]float64, quat [6]float64, sform [12]float64) {
	a := &img.Affine
	a[3][3] = 1
	for i, v := range pixdim[1:4] { // as nibabel mends them: nothing is 0 or less wide
		if pixdim[1+i] = math.Abs(v); v == 0 {
			pixdim[1+i] = 1
		}
	}
	switch {
	case scode > 0:
		for i := range 12 {
			a[i/4][i%4] = sform[i]
		}
	case qcode > 0:
		r := rotation(quat[0], quat[1], quat[2])
		fac := 1.0
		if pixdim[0] < 0 {
			fac = -1
		}
		for i := range 3 {
			a[i][0], a[i][1], a[i][2] = r[i][0]*pixdim[1], r[i][1]*pixdim[2], r[i][2]*pixdim[3]*fac
			a[i][3] = quat[3+i]
		}
	default:
		for i := range 3 {
			size, n := 1.0, int64(1)
			if i < len(img.Dims) {
				size, n = pixdim[1+i], dims[1+i]
			}
			if i == 0 {
				size = -size
			}
			a[i][i] = size
			a[i][3] = -size * float64(n-1) / 2
		}
	}
}

// rotation is the matrix of the quaternion whose last three parts are b, c, d and whose first part, w, makes its length 1.
// Where they leave it nothing (1-b²-c²-d² is below 1e-7) w is 0 and they are scaled to length 1: the rule of
// nifti_quatern_to_mat44 in nifti1_io.c, the format's own code. nibabel does the same for an excess of rounding, up to
// 3.6e-7, and refuses more.
func rotation(b, c, d float64) [3][3]float64 {
	var w float64
	if rest := 1 - b*b - c*c - d*d; rest < 1e-7 {
		length := math.Sqrt(b*b + c*c + d*d)
		b, c, d = b/length, c/length, d/length
	} else {
		w = math.Sqrt(rest)
	}
	return [3][3]float64{
		{w*w + b*b - c*c - d*d, 2 * (b*c - w*d), 2 * (b*d + w*c)},
		{2 * (b*c + w*d), w*w + c*c - b*b - d*d, 2 * (c*d - w*b)},
		{2 * (b*d - w*c), 2 * (c*d + w*b), w*w + d*d - b*b - c*c},
	}
}
