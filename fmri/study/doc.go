// Package study runs an experiment from a data tree to a report, stage by stage in a run directory.
//
//	data tree ──► responses ─┐                        ┌──► diagnoses ─────────────┐
//	   └───────► features ───┴─► fits ──► predictions ┴──► pictures ──► scores ───┴──► report
//
// What is fitted to what is data: a Config has a list of Fits, each from a region or a feature to a feature or a region.
// Without a list it is the published one: z from early, c from higher visual cortex. Every stage leaves an artefact with a
// manifest of what it was made from (package stage), so that a run that was killed goes on where it stopped and ends with the
// same bytes. A run keeps its decoders; Apply uses one, of a run or of percept fit, on new responses.
//
//	experiment.toml                 the configuration
//	responses_subj01/               train.safetensors, test.safetensors: tables of voxels (package table)
//	features/                       z.safetensors, c.safetensors of all images that were seen
//	decoders_subj01/NAME.safetensors   a model for each fit (package fit)
//	decoded_subj01/NAME.safetensors    what it predicts of the test images
//	control_subj01/                 the same by models that were fitted on shuffled pairs, where pictures are made
//	diagnosis_subj01/               NAME.json, NAME.png: what predictions are worth (package diagnose)
//	pictures_subj01/, pictures_true/   PNG files by image
//	scores.json, sheet.png, report.html
package study
