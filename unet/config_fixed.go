package unet

import "percept/internal/modelconfig"

// fixedKeys are the keys of diffusers whose other values make another network, with the values that mean SD v1.
// upcast_attention is missing on purpose: attention is float32 in any case.
var fixedKeys = modelconfig.Fixed{
	"act_fn":                               {`"silu"`, `"swish"`},
	"addition_embed_type":                  {`null`},
	"attention_type":                       {`"default"`},
	"center_input_sample":                  {`false`},
	"class_embed_type":                     {`null`},
	"conv_in_kernel":                       {`3`},
	"conv_out_kernel":                      {`3`},
	"cross_attention_norm":                 {`null`},
	"downsample_padding":                   {`1`},
	"dual_cross_attention":                 {`false`},
	"encoder_hid_dim":                      {`null`},
	"encoder_hid_dim_type":                 {`null`},
	"flip_sin_to_cos":                      {`true`},
	"freq_shift":                           {`0`},
	"mid_block_only_cross_attention":       {`null`, `false`},
	"mid_block_scale_factor":               {`1`, `1.0`},
	"num_attention_heads":                  {`null`},
	"num_class_embeds":                     {`null`},
	"only_cross_attention":                 {`false`},
	"resnet_out_scale_factor":              {`1.0`, `1`},
	"resnet_skip_time_act":                 {`false`},
	"resnet_time_scale_shift":              {`"default"`},
	"reverse_transformer_layers_per_block": {`null`},
	"time_cond_proj_dim":                   {`null`},
	"time_embedding_act_fn":                {`null`},
	"time_embedding_dim":                   {`null`},
	"time_embedding_type":                  {`"positional"`},
	"timestep_post_act":                    {`null`},
	"use_linear_projection":                {`false`},
}
