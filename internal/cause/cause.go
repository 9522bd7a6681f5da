// Package cause strips what the system repeats from its errors.
package cause

import (
	"errors"
	"os"
)

// Of is what the system said, without the operation and the path that it said it of: a message has named the file
// already, or knows it by another name than the temporary one.
func Of(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
