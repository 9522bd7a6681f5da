// Package packed keeps the weights of a model as the model has packed them: outside the Go heap, and in a file of the user's
// cache folder, which the next start maps instead of reading and packing.
//
//	weights.Store ──► New ──► Pack ──► unet.New ──► Pack.Keep ──► ~/.cache/percept/unet-….pack
//	                            ▲                                              │
//	                            └─────────────── the next start ───────────────┘
//
// A file is found by a sum over all that its bytes depend on: the tensors, how they are packed, the processor's kernels. One
// that is damaged, or was not completely written when the system stopped, is not used and is made anew: a line of each page is
// looked at before a file is used, all of it in the background while it is, and Wait tells what was found too late. List and
// Verify show what is there.
package packed
