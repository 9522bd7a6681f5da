// Package weights opens checkpoints and hands out their tensors by name.
//
//	file.safetensors ──► Open ──► Store ──► Component(UNet) ──► Float32("conv_in.weight", 320, 4, 3, 3)
//	diffusers folder ──► OpenFolder ──► Folder.UNet.Store ─────► the same
//
// A Store is a set of named tensors over one mapped file. Inside the project a parameter has one
// name, its diffusers module path; files that use CompVis names (model.diffusion_model.…), the
// attention names of the first VAE files (query, key, value, proj_attn) or text names without
// "text_model." are renamed when a component is asked for, by tables made from the model's layout.
//
// Whatever asks a Store for tensors leaves a record there: Check then reports the missing, unexpected
// and misshapen tensors, and those that hold NaN or Inf, all at once and by name.
//
// A Pack stands between a Store and a model and keeps what the model makes of the tensors: outside the Go heap, and in a
// pack file in the user's cache folder, which the next start maps instead of reading and packing.
//
//	Store ──► Pack ──► unet.New ──► Pack.Keep ──► ~/.cache/percept/unet-….pack
//
// Synth makes weights of any shape from a formula, so that full-size models can be tested without a
// checkpoint.
package weights
