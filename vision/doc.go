// Package vision holds networks that look at pictures: what they see in generated ones judges these.
//
//	pictures ──► SceneNet ──► features [pictures, channels] ──► fmri/metrics
//	                      └─► logits [pictures, labels]
//
// A network is a file of its own. What it was trained on is apart from every generator, so that its features can judge
// generated pictures as AlexNet's or CLIP's do those of photographs.
package vision
