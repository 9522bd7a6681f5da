package vision

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"io/fs"
	"path"
	"slices"
	"strconv"

	"percept/internal/cause"
	"percept/internal/picture"
	"percept/nn"
	"percept/weights"
)

// A SceneNet is a small convolutional network that says what is in a drawn scene: blocks of
// a stride-two convolution, group norm and SiLU, the mean over positions, a linear layer.
// It is trained on scenes of its own.
//
// It may be used by several goroutines, which then wait for one another.
type SceneNet struct {
	config SceneNetConfig
	conv   []*nn.Conv2d
	norm   []*nn.GroupNorm
	linear *nn.Linear

	runner *nn.Runner[int] // by batch
}

// SceneNetConfig is the network's config.json.
type SceneNetConfig struct {
	ClassName  string   `json:"_class_name"` // SceneNet
	Activation string   `json:"act_fn"`      // silu
	Channels   []int    `json:"channels"`    // of each block
	Groups     int      `json:"norm_num_groups"`
	Eps        float32  `json:"norm_eps"`
	SampleSize int      `json:"sample_size"` // width and height of its input in pixels
	Labels     []string `json:"labels"`      // of the logits
}

// sceneBatch is the number of pictures that go through the network at once.
const sceneBatch = 16

func (c SceneNetConfig) check() error {
	switch {
	case c.ClassName != "SceneNet":
		return fmt.Errorf("_class_name is %q, expected SceneNet", c.ClassName)
	case c.Activation != "silu":
		return fmt.Errorf("act_fn is %q, expected silu", c.Activation)
	case len(c.Channels) == 0 || slices.Min(c.Channels) < 1:
		return fmt.Errorf("channels are %v, expected a positive number for each block", c.Channels)
	case c.Groups < 1 || slices.ContainsFunc(c.Channels, func(n int) bool { return n%c.Groups != 0 }):
		return fmt.Errorf("norm_num_groups is %d, expected a divisor of every number of channels %v", c.Groups, c.Channels)
	case !(c.Eps > 0):
		return fmt.Errorf("norm_eps is %v, expected a positive number", c.Eps)
	case c.SampleSize < 1 || c.SampleSize > 4096:
		return fmt.Errorf("sample_size is %d, expected 1 to 4096", c.SampleSize)
	case len(c.Labels) == 0:
		return fmt.Errorf("labels are empty, expected a name for each output")
	}
	return nil
}

// NewSceneNet makes a network of the given weights: conv0, norm0, conv1, norm1, …, linear.
func NewSceneNet(c SceneNetConfig, p nn.Params) (*SceneNet, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("vision: SceneNet: %w", err)
	}
	s := nn.NewScope(p)
	n := &SceneNet{config: c}
	in := 3
	for i, out := range c.Channels {
		at := strconv.Itoa(i)
		n.conv = append(n.conv, nn.NewConv2d(s.Sub("conv"+at), in, out, 3, nn.ConvOption{Stride: 2, Pad: [4]int{1, 1, 1, 1}}))
		n.norm = append(n.norm, nn.NewGroupNorm(s.Sub("norm"+at), out, c.Groups, c.Eps))
		in = out
	}
	n.linear = nn.NewLinear(s.Sub("linear"), in, len(c.Labels))
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("vision: SceneNet: %w", err)
	}
	n.runner = nn.NewRunner("vision", nn.Options{}, n.graph)
	return n, nil
}

// graph maps "image" [batch, 3, S, S] in [-1, 1] to "features" [batch, channels] and "logits"
// [batch, labels].
func (n *SceneNet) graph(batch int) (*nn.Graph, error) {
	return nn.Build(func(g *nn.Graph) {
		x := nn.ToChannelsLast(g.Input("image", batch, 3, n.config.SampleSize, n.config.SampleSize))
		for i, conv := range n.conv {
			x = nn.SiLU(n.norm[i].Forward(conv.Forward(x)))
		}
		x = nn.MeanPool(x)
		g.Output("features", x)
		g.Output("logits", n.linear.Forward(x))
	})
}

// OpenSceneNet reads config.json and model.safetensors of a folder.
func OpenSceneNet(fsys fs.FS, folder string) (*SceneNet, error) {
	file := path.Join(folder, "config.json")
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("vision: %s: cannot be read, expected the configuration of a SceneNet", file)
	}
	var c SceneNetConfig
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("vision: %s: %w", file, cause.OfJSON(err))
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("vision: %s: %w", file, cause.OfJSON(err))
	}
	file = path.Join(folder, "model.safetensors")
	b, err = fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("vision: %s: cannot be read, expected the weights of a SceneNet", file)
	}
	s, err := weights.OpenBytes(file, b)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return NewSceneNet(c, s)
}

// Labels names the logits.
func (n *SceneNet) Labels() []string { return slices.Clone(n.config.Labels) }

// Features returns what the network sees in pictures of any size, the mean over positions
// of its last block: [pictures][channels].
func (n *SceneNet) Features(ctx context.Context, pictures []image.Image) ([][]float32, error) {
	return n.run(ctx, pictures, "features", n.config.Channels[len(n.config.Channels)-1])
}

// Logits returns for every picture how likely each label is, as the logit of its
// probability: [pictures][labels].
func (n *SceneNet) Logits(ctx context.Context, pictures []image.Image) ([][]float32, error) {
	return n.run(ctx, pictures, "logits", len(n.config.Labels))
}

func (n *SceneNet) run(ctx context.Context, pictures []image.Image, output string, width int) ([][]float32, error) {
	size := 3 * n.config.SampleSize * n.config.SampleSize
	input := make([]float32, sceneBatch*size)
	var rows [][]float32
	for batch := range slices.Chunk(pictures, sceneBatch) {
		clear(input)
		for i, p := range batch {
			if p == nil || p.Bounds().Empty() {
				return nil, fmt.Errorf("vision: picture %d is empty", len(rows)+i)
			}
			n.place(input[i*size:][:size], p)
		}
		out := make([]float32, sceneBatch*width)
		if err := n.runner.Run(ctx, sceneBatch, nil, []nn.Array{{Name: "image", Data: input}},
			nn.Array{Name: output, Data: out}); err != nil {
			return nil, err
		}
		for i := range batch {
			rows = append(rows, out[i*width:][:width:width])
		}
	}
	return rows, nil
}

// place writes picture p, scaled to the network's size, to dst [3, S, S].
func (n *SceneNet) place(dst []float32, p image.Image) {
	s := n.config.SampleSize
	pix, h, w := picture.Unit(p)
	if h != s || w != s {
		pix = picture.Resize64(pix, h, w, s, s, true)
	}
	for i := range dst {
		dst[i] = float32(2*pix[i%(s*s)*3+i/(s*s)] - 1)
	}
}
