// Package filelock keeps other processes away from a file. A lock ends when the file is closed or the process ends, in
// whatever way; it binds only those that ask for it as well.
package filelock

import "errors"

// ErrHeld says that another process has the lock.
var ErrHeld = errors.New("locked by another process")
