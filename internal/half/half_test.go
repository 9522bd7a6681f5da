package half_test

import (
	"math"
	"testing"

	"percept/internal/golden"
	"percept/internal/half"
)

func isNaN(bits uint32) bool { return bits&0x7FFFFFFF > 0x7F800000 }

// half_tables holds every pattern widened by numpy and ml_dtypes, half_rounding float32 values rounded by them.
func TestTables(t *testing.T) {
	const dir = "../../weights/testdata/formats/"
	s := golden.Open(t, dir+"half_tables.safetensors")
	f16, bf16 := s.Ints("f16_to_f32_bits"), s.Ints("bf16_to_f32_bits")
	for i, b := range s.Ints("bits_u16_as_i32") {
		if got := math.Float32bits(half.FromF16(uint16(b))); got != uint32(f16[i]) && !(isNaN(got) && isNaN(uint32(f16[i]))) {
			t.Errorf("FromF16(%#04x) = %#08x, want %#08x", b, got, uint32(f16[i]))
		}
		if got := math.Float32bits(half.FromBF16(uint16(b))); got != uint32(bf16[i]) && !(isNaN(got) && isNaN(uint32(bf16[i]))) {
			t.Errorf("FromBF16(%#04x) = %#08x, want %#08x", b, got, uint32(bf16[i]))
		}
	}
	r := golden.Open(t, dir+"half_rounding.safetensors")
	toF16, toBF16 := r.Ints("to_f16_bits"), r.Ints("to_bf16_bits")
	for i, v := range r.Float32("f32") {
		if got, want := half.ToF16(v), uint16(toF16[i]); got != want && v == v {
			t.Errorf("ToF16(%g) = %#04x, want %#04x", v, got, want)
		}
		if got, want := half.ToBF16(v), uint16(toBF16[i]); got != want && v == v {
			t.Errorf("ToBF16(%g) = %#04x, want %#04x", v, got, want)
		}
		if f16, bf16 := half.FromF16(half.ToF16(v)), half.FromBF16(half.ToBF16(v)); v != v && (f16 == f16 || bf16 == bf16) {
			t.Errorf("NaN %#08x does not stay NaN", math.Float32bits(v))
		}
	}
}

// Every 16-bit pattern survives the way up and back; a NaN of binary16 becomes quiet and keeps its payload and sign.
func TestRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		f := half.FromF16(h)
		if back := half.ToF16(f); back != h && !(f != f && back == h|0x200) {
			t.Fatalf("float16 %#04x comes back as %#04x", h, back)
		}
		if f := half.FromBF16(h); f == f && half.ToBF16(f) != h {
			t.Fatalf("bfloat16 %#04x comes back as %#04x", h, half.ToBF16(f))
		}
	}
}
