// Package clip is the text half of CLIP: the tokenizer, and the transformer that makes the context of Stable
// Diffusion v1 out of token ids.
//
//	"a boat" ── Tokenizer ── ids [T] ── Text.Encode ── context [T, D]
//
// Every module's output is a named node of the graph, by its module path in Hugging Face transformers, such as
// "text_model.encoder.layers.0.self_attn"; "hidden_states.0" is what enters the first layer and "hidden_states.k"
// what leaves layer k-1. Within a layer "residual.0" is what enters it, "residual.1" the sum after self-attention, and
// "self_attn.heads" what the heads give to out_proj, side by side [N, T, D].
//
// Sources: Radford et al. 2021, arXiv:2103.00020; configuration keys and weight names of transformers 4.
package clip
