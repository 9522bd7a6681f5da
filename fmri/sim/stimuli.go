package sim

import (
	"context"
	"image"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"percept/fmri/sim/scene"
)

// sceneSeed is the first word of the generator of the first picture; the next pictures count up
// from it and the second word is Options.Seed. The embedded model is trained on first words below
// 1,000,000, so no simulated subject ever sees a picture that the model was trained on.
const sceneSeed = 0xB0A7_0000

// sceneOf composes the scene of a 0-based picture.
func sceneOf(seed uint64, image int) scene.Scene {
	return scene.Random(rand.New(rand.NewPCG(sceneSeed+uint64(image), seed)))
}

// stimulus is one picture with what the model brains take from it.
type stimulus struct {
	scene  scene.Scene
	pixels *image.RGBA
	maps   maps
	labels []float32
}

func newStimulus(s scene.Scene, size int) stimulus {
	pixels := s.Draw(size)
	return stimulus{scene: s, pixels: pixels, maps: look(pixels), labels: s.Labels()}
}

// drawStimuli draws all pictures of an experiment. step is called after each.
func drawStimuli(ctx context.Context, o Options, n int, step func()) ([]stimulus, error) {
	all := make([]stimulus, n)
	err := parallel(ctx, n, func(i int) error {
		all[i] = newStimulus(sceneOf(o.Seed, i), o.ImageSize)
		step()
		return nil
	})
	return all, err
}

// parallel calls f(0) … f(n-1) from as many goroutines as Go runs at once, until all are done, one
// fails or ctx ends. It returns the first error.
func parallel(ctx context.Context, n int, f func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
