package prepare

import "math"

// moments is the mean and the population standard deviation of each voxel over the trials of a session, both [voxels]. The
// deviation is 0 for a voxel without variance.
type moments struct{ mean, sd []float64 }

// newMoments goes over rows 0 to n-1 twice, in order, in float64. row returns row i, [voxels], which is not kept.
func newMoments(voxels, n int, row func(i int) ([]float64, error)) (*moments, error) {
	m := &moments{make([]float64, voxels), make([]float64, voxels)}
	for i := range n {
		x, err := row(i)
		if err != nil {
			return nil, err
		}
		for v, x := range x {
			m.mean[v] += x
		}
	}
	for v := range m.mean {
		m.mean[v] /= float64(n)
	}
	for i := range n {
		x, err := row(i)
		if err != nil {
			return nil, err
		}
		for v, x := range x {
			d := x - m.mean[v]
			m.sd[v] += d * d
		}
	}
	for v, sq := range m.sd {
		sd := math.Sqrt(sq / float64(n))
		// A constant column leaves rounding noise of the mean behind, not variance.
		if sd <= 1e-12*math.Abs(m.mean[v]) {
			sd = 0
		}
		m.sd[v] = sd
	}
	return m, nil
}

// standardise takes a row to mean 0 and standard deviation 1 in place; voxels without variance become 0.
func (m *moments) standardise(row []float64) {
	for v, x := range row {
		if m.sd[v] == 0 {
			row[v] = 0
			continue
		}
		row[v] = (x - m.mean[v]) / m.sd[v]
	}
}
