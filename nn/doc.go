// Package nn builds neural networks as expression graphs and runs them.
//
//	layers + functions ──► Graph ──Compile──► Program ──Run──► outputs
//	(weights from a Scope)  │                    ▲
//	                        └ gorgonia graph     └ probes: OnNode, Keep, Edit, Replace, Feed
//
// A layer is constructed once from a Scope, which names its weights; its Forward method adds a
// node to the graph of its operand, so that a model's forward method reads like the equation:
//
//	h := b.conv1.Forward(nn.SiLU(b.norm1.Forward(x)))
//	return nn.Add(x, h)
//
// Every node is named by its module path ("down_blocks.0.resnets.1.conv1"). A Program is a graph
// compiled for its shapes: it computes nodes that follow one another as one where it can, places
// all intermediate values in one arena by liveness, runs without allocating, keeps what depends on
// steady inputs, and lets any node be read, kept, edited, replaced or fed by name. A node that
// somebody looks at is computed and shown as if nothing of this were done.
//
// In memory images are [N, H, W, C] and tokens are [N, T, C], float32. What a user sees through
// probes and outputs has the published shapes: images are [N, C, H, W].
//
// A Tap is a small part of a node's value as an output of its own, such as its mean over positions: nodes of the graph like
// others, planned with them and computed in parallel, for those who look at many nodes in many runs.
//
// The graph underneath is a gorgonia.org/gorgonia ExprGraph with this package's own operations;
// gorgonia's TapeMachine runs it too, and the tests hold both to the same bits.
package nn
