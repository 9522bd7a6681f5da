package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Column is the head of a column, with what it means.
type Column struct{ Title, Explain string }

// Value is a number as it is shown, and what stands under it in small print.
type Value struct{ Text, Small string }

// Made is the word for what a fit makes.
type Made string

// Features are decoded from responses; responses are predicted, from whatever it is.
const (
	Decoded   Made = "decoded"
	Predicted Made = "predicted"
)

// Diagnosis is what a subject's decoded feature, or what else a fit predicts, is worth: a row of a table, and two spectra.
type Diagnosis struct {
	Subject, Feature, From string
	Made                   Made      // empty: Decoded
	Values                 []Value   // one for each column
	True, Decoded          []float64 // singular values, descending
}

// spectra draws the two spectra, relative to the largest singular value, on a logarithmic axis of two decades.
func spectra(d Diagnosis) template.HTML {
	const width, height, margin, decades = 120.0, 44.0, 2.0, 2.0
	top, most := 0.0, 1
	for _, s := range [][]float64{d.True, d.Decoded} {
		most = max(most, len(s)-1)
		if len(s) > 0 {
			top = max(top, s[0])
		}
	}
	if !(top > 0) || math.IsInf(top, 1) {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="spark" viewBox="0 0 %.0f %.0f" role="img" aria-label="spectra of true and %s %s">`,
		width, height, cmp.Or(d.Made, Decoded), template.HTMLEscapeString(d.Feature))
	for _, s := range []struct {
		class  string
		values []float64
	}{{"true", d.True}, {"decoded", d.Decoded}} {
		var path strings.Builder
		for i, v := range s.values {
			if !(v > top*math.Pow(10, -decades)) {
				break // as the last, which the mean over the images takes
			}
			below := max(0, math.Log10(top/v))
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)],
				margin+(width-2*margin)*float64(i)/float64(most), margin+(height-2*margin)*below/decades)
		}
		fmt.Fprintf(&b, `<path d="%s" class="%s"/>`, path.String(), s.class)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
