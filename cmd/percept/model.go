package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"percept"
)

// modelFlags say which model a command loads, and how.
type modelFlags struct {
	dir string // empty: the embedded model
	percept.Options
}

// add adds the flags to a command. With model it may load a model folder, without only the embedded model.
func (m *modelFlags) add(cmd *cobra.Command, model bool) {
	f := cmd.Flags()
	if model {
		f.StringVar(&m.dir, "model", "", "model `folder` (default: the embedded model)")
		f.BoolVar(&m.NoCache, "no-cache", false, "pack the model's weights anew, and keep them only in memory")
	}
	m.addStorage(cmd)
}

// addStorage adds the flags that say how weights are kept.
func (m *modelFlags) addStorage(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.WeightsDType, "weights-dtype", "float32", "`type` of the weights in memory: float32, float16 or bfloat16; computation is in float32")
	f.StringVar(&m.Memory, "memory", percept.MemoryFull, "`full` or low: low takes less memory and more time")
}

// check says which flag has a value that there is not.
func (m *modelFlags) check() error {
	if _, err := m.Packing(""); err != nil {
		return usageError{fmt.Errorf("--%s", strings.Replace(err.Error(), "weights dtype", "weights-dtype", 1))}
	}
	return nil
}

// load loads the model.
func (m *modelFlags) load(cmd *cobra.Command) (*percept.Pipeline, error) {
	o := m.Options
	if verbose, err := cmd.Flags().GetBool("verbose"); err == nil && verbose {
		o.Log = lineWriter(cmd.ErrOrStderr())
	}
	if m.dir == "" {
		return percept.LoadEmbedded(cmd.Context(), o)
	}
	return percept.Load(cmd.Context(), m.dir, o)
}

// lineWriter returns a function that writes lines, from any goroutine.
func lineWriter(w io.Writer) func(line string) {
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, line)
	}
}
