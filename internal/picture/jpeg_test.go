package picture

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// jpegFile is a file of testdata cut at its segments: each begins with its marker; the last holds the scan.
func jpegFile(t *testing.T, name string) (whole []byte, at map[byte]int) {
	t.Helper()
	whole, err := os.ReadFile("testdata/files/" + name)
	if err != nil {
		t.Fatal(err)
	}
	at = map[byte]int{}
	for s := range jpegSegments(whole) {
		at[s.marker] = bytes.Index(whole, s.data) - 4
	}
	at[mSOS] = bytes.Index(whole, []byte{0xff, mSOS})
	return whole, at
}

func TestDecodeJPEGRejects(t *testing.T) {
	whole, at := jpegFile(t, "420.jpg")
	sof, dht, dqt, sos := at[mSOF0], at[mDHT], at[mDQT], at[mSOS]
	set := func(i int, v ...byte) []byte {
		b := bytes.Clone(whole)
		copy(b[i:], v)
		return b
	}
	without := func(from int) []byte { // a segment
		n := 2 + int(whole[from+2])<<8 + int(whole[from+3])
		return append(bytes.Clone(whole[:from]), whole[from+n:]...)
	}
	counts := set(dht+5, 3) // three codes of one bit,
	counts[dht+20] -= 3     // and as many codes as before
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"arithmetic coding", set(sof+1, 0xc9), "SOF9"},
		{"lossless", set(sof+1, 0xc3), "SOF3"},
		{"12 bits", set(sof+4, 12), "12 bits a sample"},
		{"no rows", set(sof+5, 0, 0), "45×0 pixels"},
		{"two components", set(sof+9, 2), "frame of 15 bytes"},
		{"fractional sampling", set(sof+11, 0x32, 0, whole[sof+13], 0x21), "sampling 2×1 of 3×2"},
		{"sampling", set(sof+11, 0x51), "sampling 5×1"},
		{"huge", set(sof+5, 0xff, 0xff, 0xff, 0xff), "expected at most"},
		{"large for its bytes", set(sof+5, 0x10, 0, 0x10, 0), "cut short"},
		{"no frame", without(sof), "before the frame"},
		{"no Huffman tables", without(dht), "Huffman table is missing"},
		{"no quantisation table", without(dqt), "quantisation table 1 is missing"},
		{"Huffman counts", counts, "more codes of 1 bits"},
		{"component of the scan", set(sos+5, 99), "which the frame lacks"},
		{"component twice", set(sos+7, whole[sos+5]), "twice"},
		{"no scan", append(bytes.Clone(whole[:sos]), 0xff, mEOI), "in no scan"},
		{"cut short in the scan", whole[:len(whole)-200], "cut short"},
		{"marker in the scan", set(len(whole)-200, 0xff, mEOI), "cut short"},
		{"no end", whole[:len(whole)-2], "cut short"},
		{"second frame", append(append(bytes.Clone(whole[:sos]), whole[sof:sof+19]...), whole[sos:]...), "second frame"},
	} {
		_, err := Decode("x.jpg", c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.jpg: JPEG picture: ") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A progressive file whose last scans are missing is not guessed at.
func TestDecodeJPEGUnfinished(t *testing.T) {
	whole, _ := jpegFile(t, "progressive.jpg")
	last := bytes.LastIndex(whole, []byte{0xff, mSOS})
	b := append(bytes.Clone(whole[:last]), 0xff, mEOI)
	if _, err := Decode("x.jpg", b); err == nil || !strings.Contains(err.Error(), "are missing") {
		t.Errorf("%v, want an error about missing scans", err)
	}
}

// A restart marker that is lost is an error, not a shifted picture.
func TestDecodeJPEGRestart(t *testing.T) {
	whole, _ := jpegFile(t, "restart.jpg")
	i := bytes.Index(whole, []byte{0xff, mRST0 + 1})
	if i < 0 {
		t.Fatal("restart.jpg has no second restart marker")
	}
	whole[i+1] = mRST0 + 2
	if _, err := Decode("x.jpg", whole); err == nil || !strings.Contains(err.Error(), "restart marker 1 was due") {
		t.Errorf("%v, want an error about the marker", err)
	}
}

// Coefficients that are all zero but the first make a flat block, whatever the way through idct.
func TestIDCTFlat(t *testing.T) {
	var quant [64]int32
	for i := range quant {
		quant[i] = 1
	}
	for _, c := range []struct{ dc, want int }{{0, 128}, {8, 129}, {-8, 127}, {3, 128}, {4, 129}, {-1024, 0}, {1016, 255}, {32000, 255},
		{-32000, 0}} {
		out := make([]byte, 64)
		idct(&[64]int16{int16(c.dc)}, &quant, out, 8)
		for i, v := range out {
			if int(v) != c.want {
				t.Fatalf("DC %d: sample %d is %d, want %d", c.dc, i, v, c.want)
			}
		}
	}
}
