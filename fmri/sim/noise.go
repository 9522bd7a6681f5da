package sim

import (
	"math"
	"math/rand/v2"
)

// Noise of a trial: most of it independent from voxel to voxel, the rest a few waves over the
// whole brain whose strength wanders from trial to trial. Real betas have such shared noise and
// averaging voxels does not remove it.
const (
	modes       = 8
	sharedNoise = 0.25 // part of a voxel's noise variance
	memory      = 0.8  // correlation of a wave's strength with that of the trial before
)

// Sessions differ in gain and level, which is why betas are standardised session by session.
const (
	sessionGain   = 0.15 // standard deviation of the logarithm, one value for all voxels
	sessionOffset = 0.50 // standard deviation, percent signal change, one value per voxel
)

// mode is a plane wave over the brain.
type mode struct {
	k     [3]float64
	phase float64
}

func drawModes(r *rand.Rand) []mode {
	m := make([]mode, modes)
	for i := range m {
		for d := range 3 {
			m[i].k[d] = 1.5 * r.NormFloat64()
		}
		m[i].phase = 2 * math.Pi * r.Float64()
	}
	return m
}

// loading is how strongly a voxel takes part in each wave; the squares add up to 1.
func (b *brain) loading(v int) (w [modes]float64) {
	p := b.pos[v]
	var sq float64
	for i, m := range b.shared {
		w[i] = math.Cos(m.k[0]*p[0] + m.k[1]*p[1] + m.k[2]*p[2] + m.phase)
		sq += w[i] * w[i]
	}
	for i := range w {
		w[i] /= math.Sqrt(max(sq, 1e-12))
	}
	return w
}

// session is what one scan session does to all voxels.
type session struct {
	gain float64
	wave [][modes]float64 // strength of each wave in each trial, variance 1
}

func (b *brain) newSession(number, trials int) session {
	r := stream(b.seed, forSession, uint64(b.subject), uint64(number))
	s := session{gain: math.Exp(sessionGain * r.NormFloat64()), wave: make([][modes]float64, trials)}
	for i := range modes {
		x := r.NormFloat64()
		for t := range s.wave {
			s.wave[t][i] = x
			x = memory*x + math.Sqrt(1-memory*memory)*r.NormFloat64()
		}
	}
	return s
}

// betasPerPercent is the scale of NSD's integer betas.
const betasPerPercent = 300

// betas writes the responses of one voxel to all trials of all sessions into out, as NSD stores
// them: percent signal change times 300, rounded; 0 outside the brain. signal is the standardised
// noise-free response per trial, nil for a voxel that does not see.
func (b *brain) betas(out []int16, v int, sessions []session, signal []float32) {
	if !b.brain[v] || v == b.dead {
		clear(out)
		return
	}
	r := stream(b.seed, forNoise, uint64(b.subject), uint64(v))
	load := b.loading(v)
	amplitude := b.ncsnr[v] * b.noise[v]
	private, common := b.noise[v]*math.Sqrt(1-sharedNoise), b.noise[v]*math.Sqrt(sharedNoise)
	t := 0
	for _, s := range sessions {
		offset := b.baseline[v] + sessionOffset*r.NormFloat64()
		for i := range s.wave {
			var wave float64
			for k, w := range load {
				wave += w * s.wave[i][k]
			}
			y := private*r.NormFloat64() + common*wave
			if signal != nil {
				y += amplitude * float64(signal[t])
			}
			psc := offset + s.gain*y
			out[t] = int16(min(max(math.Round(betasPerPercent*psc), math.MinInt16), math.MaxInt16))
			t++
		}
	}
}

// estimateNCSNR is NSD's noise ceiling signal-to-noise ratio of one voxel (Allen et al. 2022,
// doi:10.1038/s41593-021-00962-x): betas z-scored per session; noise variance = mean over pictures
// of the variance over repeats; signal variance = 1 - noise variance, at least 0; ratio of standard
// deviations. NSD takes pictures with three repeats; here all with two or more count, by their
// degrees of freedom. groups holds the trials of each picture. NaN for a voxel that never changes.
func estimateNCSNR(betas []int16, perSession int, groups [][]int, z []float64) float64 {
	for from := 0; from < len(betas); from += perSession {
		part := betas[from : from+perSession]
		var sum, sq float64
		for _, v := range part {
			sum += float64(v)
		}
		mean := sum / float64(len(part))
		for _, v := range part {
			sq += (float64(v) - mean) * (float64(v) - mean)
		}
		if sq == 0 {
			return math.NaN()
		}
		sd := math.Sqrt(sq / float64(len(part)))
		for i, v := range part {
			z[from+i] = (float64(v) - mean) / sd
		}
	}
	var within, freedom float64
	for _, trials := range groups {
		if len(trials) < 2 {
			continue
		}
		var mean float64
		for _, t := range trials {
			mean += z[t]
		}
		mean /= float64(len(trials))
		for _, t := range trials {
			within += (z[t] - mean) * (z[t] - mean)
		}
		freedom += float64(len(trials) - 1)
	}
	if freedom == 0 {
		return math.NaN()
	}
	noise := within / freedom
	return math.Sqrt(max(1-noise, 0) / noise)
}
