package vae

import "percept/internal/modelconfig"

// fixedKeys are the keys of diffusers whose other values make another network, with the values that mean SD v1.
// force_upcast is missing on purpose: all arithmetic is float32 in any case.
var fixedKeys = modelconfig.Fixed{
	"act_fn":                  {`"silu"`, `"swish"`},
	"latents_mean":            {`null`},
	"latents_std":             {`null`},
	"mid_block_add_attention": {`true`},
	"shift_factor":            {`null`},
	"use_post_quant_conv":     {`true`},
	"use_quant_conv":          {`true`},
}
