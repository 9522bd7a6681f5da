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
