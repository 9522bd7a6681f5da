// Package filesum is the sha256 of a file.
package filesum

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"percept/internal/cause"
)

// Of returns the sha256 of a file's bytes. The error is that of the system.
func Of(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	h.Sum(sum[:0])
	return sum, err
}

// Hex is Of in hexadecimal digits. The error names the path.
func Hex(path string) (string, error) {
	sum, err := Of(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	return hex.EncodeToString(sum[:]), nil
}
