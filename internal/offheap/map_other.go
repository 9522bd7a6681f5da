//go:build !linux

package offheap

import "errors"

// mapMemory is for systems whose memory the heap has to do.
func mapMemory(int) ([]byte, func() error, error) { return nil, nil, errors.ErrUnsupported }
