package modelconfig

import (
	"strconv"
	"strings"
)

// Side is the side of pictures in a module of a U-shaped network for pictures of so many pixels a side: down_blocks.i is at
// level i, mid_block at the coarsest of the levels, and up_blocks.i go back, each upsampler at the level it leads to.
func Side(module string, pixels, levels int) int {
	path, level := strings.Split(module, "."), 0
	switch path[0] {
	case "down_blocks":
		level, _ = strconv.Atoi(path[1])
	case "mid_block":
		level = levels - 1
	case "up_blocks":
		i, _ := strconv.Atoi(path[1])
		if level = levels - 1 - i; path[2] == "upsamplers" {
			level--
		}
	}
	return pixels >> level
}
