package percept

// A Call says where a run of the U-Net stands, to those who look into its Program. The network is given N latents, or
// with guidance 2·N in one batch; see Row.
type Call struct {
	First    int     // number of the batch's first image among those of the run, from 0
	N        int     // images of the batch
	Step, Of int     // 0-based number of the denoising step and their count
	Call     int     // 0-based number of the call within the step: some samplers ask twice, PLMS in its first step
	Timestep float64 // at which the network is asked
	Guided   bool    // both halves of classifier-free guidance are in the batch
}

// A Half is one of classifier-free guidance.
type Half int

const (
	Conditional Half = iota
	Unconditional
)

// Row says whose latent row r of the network's batch is: which image of the run, from 0, and in which half.
func (c Call) Row(r int) (image int, half Half) {
	if c.Guided && r < c.N {
		half = Unconditional
	}
	return c.First + r%c.N, half
}
