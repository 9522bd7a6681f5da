package modelconfig_test

import (
	"strings"
	"testing"

	"percept/internal/modelconfig"
)

type config struct {
	Width int `json:"width"`
	Size  int `json:"sample_size"`
}

func (c config) Validate() error {
	wrong := modelconfig.Problems{Model: "net"}
	wrong.Positive("width", c.Width)
	return wrong.Err()
}

func TestParse(t *testing.T) {
	fixed := modelconfig.Fixed{"act_fn": {`"silu"`, `"swish"`}, "shift": {"null"}}
	for _, c := range []struct {
		json string
		want config
		err  string // all of it, or its beginning where it ends in …
	}{
		{`{}`, config{8, 64}, ""},
		{`{"width": 3, "act_fn": "swish", "shift": null, "dropout": 0.5}`, config{3, 64}, ""},
		{`{"sample_size": null}`, config{8, 64}, ""},
		{`{"width": null}`, config{}, "net: config: width is null"},
		{`{"width": 0}`, config{}, "net: config: width is 0, expected a positive number"},
		{`{"act_fn": "gelu", "shift": 1, "width": null}`, config{},
			`net: config: act_fn is "gelu", only "silu" is supported; shift is 1, only null is supported; width is null`},
		{`{"width": "wide"}`, config{}, "net: config: width is string, expected a whole number"},
		{`[1]`, config{}, "net: config: it is array, expected an object"},
		{``, config{}, "net: config: byte 0: unexpected end of JSON input"},
	} {
		got, err := modelconfig.Parse("net", []byte(c.json), config{8, 64}, fixed, "sample_size")
		if c.err == "" {
			if err != nil || got != c.want {
				t.Errorf("%s: %+v, %v; want %+v", c.json, got, err, c.want)
			}
			continue
		}
		begin, cut := strings.CutSuffix(c.err, "…")
		if err == nil || cut && !strings.HasPrefix(err.Error(), begin) || !cut && err.Error() != c.err {
			t.Errorf("%s: %v, want %s", c.json, err, c.err)
		}
	}
}

func TestSide(t *testing.T) {
	for module, want := range map[string]int{
		"conv_in":                           64,
		"down_blocks.0.resnets.1.conv1":     64,
		"down_blocks.0.downsamplers.0.conv": 64,
		"down_blocks.2.resnets.0.conv1":     16,
		"mid_block.resnets.1.conv2":         8,
		"up_blocks.0.resnets.0.conv1":       8,
		"up_blocks.0.upsamplers.0.conv":     16,
		"up_blocks.3.resnets.2.conv1":       64,
		"conv_out":                          64,
	} {
		if got := modelconfig.Side(module, 64, 4); got != want {
			t.Errorf("%s: side %d, expected %d", module, got, want)
		}
	}
}
