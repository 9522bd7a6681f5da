// Package weights opens checkpoints and hands out their tensors by name.
//
//	file.safetensors ──► Open ──► Store ──► Component(UNet) ──► Float32("conv_in.weight", 320, 4, 3, 3)
//	sd-v1-4.ckpt ──────► Open ──► Store (──► UseEMA) ─────────► the same
//	either, or a diffusers folder ──► OpenModel ──► Folder.Parts[UNet].Store ──► the same
//	                                      └──────► Export ──► a diffusers folder
//
// OpenModel answers for a single file as for the folder that it could be converted to (Export): configurations are
// inferred from shapes (InferConfig), the tokenizer is looked for beside the file, and what is not Stable Diffusion v1 is
// refused by its name (Contents).
//
// A Store is a set of named tensors over one mapped file. Inside the project a parameter has one
// name, its diffusers module path; files that use CompVis names (model.diffusion_model.…), the
// attention names of the first VAE files (query, key, value, proj_attn) or text names without
// "text_model." are renamed when a component is asked for, by tables made from the model's layout.
//
// Which format a file has, its contents tell, not its name:
//
//	safetensors   as its specification says, nothing looser; see package safetensors
//	torch zip     what torch.save writes since 1.6
//	torch legacy  what it wrote before, or writes with _use_new_zipfile_serialization=False
//
// A file of torch is a Python pickle with tensors. It is read as data: nothing is imported, called or constructed. A
// class that is only mentioned, as Lightning does with its callbacks, is a name. A pickle that calls something is refused
// under the name of what it calls, except for the functions of torch that rebuild tensors and for a short list of
// constructors without effect that are found in the state of trainers (numpy scalars, OrderedDict, Namespace, paths,
// dates, omegaconf), whose results are passed over. Whole modules (torch.save(model)) are such calls; programs
// (torch.jit.save), compressed archives and the tar files of torch 0.1 are refused as well.
//
// Storages stay where they lie in the mapped file. Tensors that are in C order there are handed out in place; views with
// strides, and tensors from big-endian machines, are put in order when they are asked for. Types are float64, float32,
// float16, bfloat16, the two float8 of safetensors, the integers of 8 to 64 bits and bool. Complex, quantised, sparse and
// meta tensors are listed, and are an error when they are asked for. To open a file takes a megabyte and at most 16 times
// its size in memory, and for a checkpoint of weights a few megabytes.
//
// The tensors of a Lightning file's state_dict have the names that they have there; others, such as the state of an
// optimiser, are named by the way to them: optimizer_states.0.state.0.exp_avg. Check does not call them unexpected, nor
// the moving averages model_ema.…, which UseEMA puts in place of the U-Net's parameters.
//
// Whatever asks a Store for tensors leaves a record there: Check then reports the missing, unexpected
// and misshapen tensors, and those that hold NaN or Inf, all at once and by name.
//
// What stands beside checkpoints has packages of its own: safetensors is the container, packed the cache of what models make
// of their tensors, synth makes weights from a formula, so that full-size models can be tested without a checkpoint.
package weights
