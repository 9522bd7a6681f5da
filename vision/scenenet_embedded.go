package vision

import (
	"sync"

	"percept/weights/embedded"
)

// EmbeddedSceneNet returns the network that comes with the program. It is made once.
func EmbeddedSceneNet() (*SceneNet, error) { return embeddedSceneNet() }

var embeddedSceneNet = sync.OnceValues(func() (*SceneNet, error) {
	return OpenSceneNet(embedded.FS(), "scenenet")
})
