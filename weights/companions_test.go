package weights

import (
	"strings"
	"testing"
)

// diffusers would make Euler and DPM-Solver of it otherwise than of the published file.
func TestSchedulerConfigLeavesTheSpacingOpen(t *testing.T) {
	if strings.Contains(schedulerConfig, "timestep_spacing") {
		t.Error("the schedule that is written fixes the spacing of timesteps")
	}
}
