package scheduler_test

import (
	"context"
	"fmt"

	"percept/scheduler"
)

// Four deterministic steps with a model that always says the latent is all noise.
func Example() {
	ddim, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	model := func(_ context.Context, x []float32, t float64) ([]float32, error) { return x, nil }
	_, err = ddim.Sample(context.Background(), model, []float32{1}, scheduler.Run{
		OnStep: func(s scheduler.Step) error {
			fmt.Printf("t=%g x=%.3f\n", s.Timestep, s.X[0])
			return nil
		},
	})
	fmt.Println(err)
	_, err = scheduler.CompVis.Timesteps(3, 1000)
	fmt.Println(err)
	// Output:
	// t=751 x=0.914
	// t=501 x=0.736
	// t=251 x=0.414
	// t=1 x=0.409
	// <nil>
	// scheduler: 3 steps by the CompVis rule reach timestep 1000, the schedule ends at 999; use a number of steps like 4
}

// Any sampler by its name, from the noise of torch.manual_seed(42); torch.randn(1, 4, 64, 64) on the processor.
func ExampleNew() {
	for _, name := range scheduler.Names() {
		s, err := scheduler.New(scheduler.Options{Name: name, Steps: 10})
		if err != nil {
			fmt.Println(err)
			return
		}
		noise := make([]float32, 4*64*64)
		source := scheduler.NewTorch(42)
		source.Randn(noise)
		calls := 0
		model := func(_ context.Context, x []float32, t float64) ([]float32, error) {
			calls++
			return make([]float32, len(x)), nil // nothing of x is noise
		}
		x := s.Start(noise)
		if _, err := s.Sample(context.Background(), model, x, scheduler.Run{Noise: source.Randn}); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%-16s begins with %8.4f, %d calls\n", name, x[0], calls)
	}
	_, err := scheduler.New(scheduler.Options{Name: "plms", Eta: 1})
	fmt.Println(err)
	// Output:
	// ddim             begins with   1.9269, 10 calls
	// ddim-diffusers   begins with   1.9269, 10 calls
	// plms             begins with   1.9269, 11 calls
	// pndm             begins with   1.9269, 11 calls
	// dpmpp-2m         begins with   1.9269, 10 calls
	// dpmpp-2m-karras  begins with   1.9269, 10 calls
	// euler            begins with  28.1612, 10 calls
	// euler-a          begins with  28.1612, 10 calls
	// scheduler: eta 1, but plms has no eta
}

// torch.manual_seed(0); torch.randn(2, 2); torch.randn(3); torch.rand(2)
func ExampleTorch() {
	g := scheduler.NewTorch(0)
	x, y, u := make([]float32, 4), make([]float32, 3), make([]float32, 2)
	g.Randn(x)
	g.Randn(y)
	g.Rand(u)
	fmt.Printf("%.4f\n%.4f\n%.4f\n", x, y, u)
	// Output:
	// [1.5410 -0.2934 -2.1788 0.5684]
	// [-1.0845 -1.3986 0.4033]
	// [0.6977 0.8000]
}

// From a latent to the noise that leads to it, and back: exact up to the size of the steps.
func ExampleDDIM_Invert() {
	ddim, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: 250})
	if err != nil {
		fmt.Println(err)
		return
	}
	model := func(_ context.Context, x []float32, t float64) ([]float32, error) {
		eps := make([]float32, len(x))
		for i, v := range x {
			eps[i] = v / 2
		}
		return eps, nil
	}
	ctx := context.Background()
	noise, err := ddim.Invert(ctx, model, []float32{1, -2}, scheduler.Run{})
	if err != nil {
		fmt.Println(err)
		return
	}
	x0, err := ddim.Sample(ctx, model, noise, scheduler.Run{})
	fmt.Printf("%.2f %v\n", x0, err)
	// Output:
	// [1.01 -2.02] <nil>
}

// Image to image: the last steps of a run, 80 % of them.
func ExampleSampler() {
	s, err := scheduler.New(scheduler.Options{Name: "dpmpp-2m", Steps: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	z, noise := make([]float32, 16), make([]float32, 16) // z: the encoded picture
	scheduler.NewTorch(1).Randn(noise)
	n, err := scheduler.StepsFor(0.8, 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := s.Noised(z, noise, n)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := func(_ context.Context, x []float32, t float64) ([]float32, error) { return noise, nil }
	_, err = s.Sample(context.Background(), model, x, scheduler.Run{Last: n, OnStep: func(st scheduler.Step) error {
		if st.Index%5 == 0 {
			fmt.Printf("step %d of %d, t=%g\n", st.Index+1, st.Of, st.Timestep)
		}
		return nil
	}})
	fmt.Println(err)
	// Output:
	// step 1 of 16, t=799
	// step 6 of 16, t=549
	// step 11 of 16, t=300
	// step 16 of 16, t=50
	// <nil>
}
