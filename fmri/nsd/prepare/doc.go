// Package prepare takes the responses of some voxels out of a tree of the Natural Scenes Dataset and leaves them in a
// folder that decoders read.
//
//	betas_sessionNN ──one pass, only these voxels──► session parts ──/300, z-score, mean, split──► X_train, X_test
//
// Run reads each session once and keeps its stored elements as a part; an interrupted Run goes on with the session that it
// was reading. The parts are then read row by row, so that memory does not grow with the number of trials or images; scale,
// z-scores and means are float64, and a response is rounded once, when it is written. The folder appears under its name, by a
// rename, when it is complete; the same tree and options give the same bytes, however often it was interrupted.
//
// # The folder
//
//	manifest.json               options, inputs with their sha256 or size, time and sum of what was read, regions, arrays
//	X_train.npy  X_test.npy     float32 [images, voxels]: the mean over each image's trials; images in the order of their
//	                            first presentation
//	images_train.npy            int32 [images]: 0-based image ids (NSD's 73k id - 1)
//	counts_train.npy            int32 [images]: trials behind each mean
//	sessions_train.npy          int32 [images, most repeats]: sessions of those trials, from 1; then 0
//	X_train_trials.npy          float32 [trials, voxels]: single trials in the order of presentation (Options.Trials)
//	images_train_trials.npy     int32 [trials]
//	sessions_train_trials.npy   int32 [trials]
//	trials_train_trials.npy     int32 [trials]: 0-based number among the trials of all chosen sessions, test trials counted
//	voxels.npy                  int32 [voxels, 3]: x, y, z from 0, as NIfTI indexes the volume; on fsaverage hemisphere
//	                            (0 left, 1 right), vertex, 0
//	rois.npy                    uint8 [voxels, regions]: 1 where a voxel belongs to a region of the manifest's list
//	ncsnr.npy                   float32 [voxels]: NSD's noise-ceiling signal-to-noise ratio, where the tree has it
//	noise_ceiling_train.npy     float32 [voxels]: fraction of the variance of X_train, 0 to 1, that a perfect model could
//	                            explain, with the counts as they are: s²/(s² + mean(1/n)). Without Options.ZScore it is
//	                            noise_ceiling_of_zscored_train.npy: NSD's estimate holds for betas z-scored within sessions
//	explainable_variance.npy    float32 [voxels]: of single trials, from the repeats of training images (Options.MinExplainable)
//
// and the same with "test" for the shared images. With Options.Takagi the means are float64, single trials int16.
//
// In Python: X = numpy.load("out/X_train.npy", mmap_mode="r"). In Go: table.OpenFolder and Folder.Table.
package prepare
