package main

import (
	"context"

	"percept"
)

// openModel loads a model folder, or the embedded model where dir is empty.
func openModel(ctx context.Context, dir string) (*percept.Pipeline, error) {
	if dir == "" {
		return percept.Embedded(ctx)
	}
	return percept.Load(ctx, dir, percept.Options{})
}
