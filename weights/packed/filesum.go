package packed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"percept/internal/cause"
)

const (
	// largeFile is the size from which a sum is kept: to read less takes no time.
	largeFile = 64 << 20
	// samples is how many places of a file its identity looks at.
	samples   = 64
	sampled   = 512 // bytes of each
	sumSuffix = ".sha256"
	maxSums   = 64
)

// FileSum returns the sha256 of a file. That of a large one is kept in the folder of pack files: later calls believe it
// while the file's size, time of modification and some of its bytes are as they were.
func (o Options) FileSum(ctx context.Context, fsys fs.FS, name string) ([sha256.Size]byte, error) {
	var none [sha256.Size]byte
	f, err := fsys.Open(name)
	if err != nil {
		return none, err
	}
	defer f.Close()
	path := o.sumFile(f)
	if b, err := os.ReadFile(path); err == nil && len(b) == 2*sha256.Size+1 {
		if raw, err := hex.DecodeString(string(bytes.TrimSpace(b))); err == nil {
			return [sha256.Size]byte(raw), nil
		}
	}
	h := sha256.New()
	if _, err := io.CopyBuffer(h, contextReader{ctx, f}, make([]byte, 1<<20)); err != nil {
		return none, fmt.Errorf("weights: %s: %w", name, cause.Of(err))
	}
	sum := [sha256.Size]byte(h.Sum(nil))
	if path != "" {
		keepSum(path, sum)
	}
	return sum, nil
}

// sumFile returns where the sum of a file is kept; empty for a small one and for one of which too little is known.
func (o Options) sumFile(f fs.File) string {
	st, err := f.Stat()
	at, ok := f.(io.ReaderAt)
	dir := o.dir()
	if err != nil || !ok || dir == "" || st.Size() < largeFile || st.ModTime().IsZero() {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d %d\n", st.Size(), st.ModTime().UnixNano())
	b := make([]byte, sampled)
	for i := range int64(samples) {
		if _, err := at.ReadAt(b, (st.Size()-sampled)*i/(samples-1)); err != nil {
			return ""
		}
		h.Write(b)
	}
	return filepath.Join(dir, hex.EncodeToString(h.Sum(nil)[:16])+sumSuffix)
}

// keepSum writes a sum. Where that fails, it is computed again the next time.
func keepSum(path string, sum [sha256.Size]byte) {
	dir := filepath.Dir(path)
	if os.MkdirAll(dir, 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(dir, ".*"+suffix+".sum"+temporary) // a name that sweep knows
	if err != nil {
		return
	}
	_, err = fmt.Fprintf(f, "%x\n", sum)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil || os.Rename(f.Name(), path) != nil {
		os.Remove(f.Name())
	}
}

// contextReader ends with the context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
