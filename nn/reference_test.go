package nn

import "math"

// The operations as they are defined, in float64 and in memory order.

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func refConv(x, w, bias []float64, n, h, wd, cin, cout, k, stride int, pad [4]int) []float64 {
	ho, wo := (h+pad[0]+pad[2]-k)/stride+1, (wd+pad[1]+pad[3]-k)/stride+1
	y := make([]float64, 0, n*ho*wo*cout)
	for b := range n {
		for i := range ho {
			for j := range wo {
				for o := range cout {
					s := bias[o]
					for u := range k {
						for v := range k {
							r, q := i*stride+u-pad[0], j*stride+v-pad[1]
							if r < 0 || r >= h || q < 0 || q >= wd {
								continue
							}
							for c := range cin {
								s += x[((b*h+r)*wd+q)*cin+c] * w[((o*cin+c)*k+u)*k+v]
							}
						}
					}
					y = append(y, s)
				}
			}
		}
	}
	return y
}

func refLinear(x, w, bias []float64, in, out int) []float64 {
	var y []float64
	for r := 0; r < len(x); r += in {
		for o := range out {
			s := bias[o]
			for i := range in {
				s += x[r+i] * w[o*in+i]
			}
			y = append(y, s)
		}
	}
	return y
}

func refGroupNorm(x, gamma, beta []float64, n, hw, c, groups int, eps float64) []float64 {
	y := make([]float64, len(x))
	cg := c / groups
	for b := range n {
		for g := range groups {
			var sum, sq float64
			each := func(f func(i, ch int)) {
				for p := range hw {
					for k := range cg {
						f((b*hw+p)*c+g*cg+k, g*cg+k)
					}
				}
			}
			each(func(i, _ int) { sum += x[i] })
			mean := sum / float64(hw*cg)
			each(func(i, _ int) { sq += (x[i] - mean) * (x[i] - mean) })
			scale := 1 / math.Sqrt(sq/float64(hw*cg)+eps)
			each(func(i, ch int) { y[i] = (x[i]-mean)*scale*gamma[ch] + beta[ch] })
		}
	}
	return y
}

func refProbs(q, k []float64, n, tq, tk, heads, d int, causal bool) []float64 {
	c := heads * d
	var p []float64
	for b := range n {
		for h := range heads {
			for i := range tq {
				row := make([]float64, tk)
				top, sum := math.Inf(-1), 0.0
				for j := range tk {
					for e := range d {
						row[j] += q[(b*tq+i)*c+h*d+e] * k[(b*tk+j)*c+h*d+e] / math.Sqrt(float64(d))
					}
					if causal && j > i {
						row[j] = math.Inf(-1)
					}
					top = max(top, row[j])
				}
				for j := range row {
					row[j] = math.Exp(row[j] - top)
					sum += row[j]
				}
				for j := range row {
					p = append(p, row[j]/sum)
				}
			}
		}
	}
	return p
}

func refAttention(q, k, v []float64, n, tq, tk, heads, d int, causal bool) []float64 {
	c := heads * d
	p := refProbs(q, k, n, tq, tk, heads, d, causal)
	y := make([]float64, n*tq*c)
	for b := range n {
		for h := range heads {
			for i := range tq {
				for j := range tk {
					for e := range d {
						y[(b*tq+i)*c+h*d+e] += p[((b*heads+h)*tq+i)*tk+j] * v[(b*tk+j)*c+h*d+e]
					}
				}
			}
		}
	}
	return y
}

func refMap(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

func refSiLU(x float64) float64      { return x / (1 + math.Exp(-x)) }
func refGELU(x float64) float64      { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }
func refQuickGELU(x float64) float64 { return x / (1 + math.Exp(-1.702*x)) }

// refToFirst reorders [n, hw, c] to [n, c, hw].
func refToFirst(x []float64, n, hw, c int) []float64 {
	y := make([]float64, len(x))
	for b := range n {
		for p := range hw {
			for k := range c {
				y[(b*c+k)*hw+p] = x[(b*hw+p)*c+k]
			}
		}
	}
	return y
}
