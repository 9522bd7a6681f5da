package ftfy

import "bytes"

// isContinuation says whether a byte continues a UTF-8 sequence.
func isContinuation(b byte) bool { return 0x80 <= b && b <= 0xBF }

// likelyContinuation leaves out those that would complete a sequence whose third byte is a blank unlikely.
func likelyContinuation(b byte) bool { return isContinuation(b) && b != 0x85 && b != 0xA0 }

// alteredLen returns the length of a UTF-8 sequence at the start of b in which a blank stands for byte A0, as
// programs leave it that take a no-break space for a blank; 0 if there is none. Only sequences of likely
// characters count.
func alteredLen(b []byte) int {
	lead := b[0]
	switch {
	case len(b) >= 2 && b[1] == ' ' && bytes.IndexByte([]byte{0xC2, 0xC3, 0xC5, 0xCE, 0xD0, 0xD9}, lead) >= 0:
		return 2
	case len(b) >= 3 && 0xE0 <= lead && lead <= 0xE3:
		if lead >= 0xE2 && b[1] == ' ' && likelyContinuation(b[2]) || likelyContinuation(b[1]) && b[2] == ' ' {
			return 3
		}
	case len(b) >= 4 && lead == 0xF0:
		blanks := bytes.Count(b[1:4], []byte{' '})
		others := 0
		for _, c := range b[1:4] {
			if isContinuation(c) {
				others++
			}
		}
		if blanks == 1 && others == 2 {
			return 4
		}
	}
	return 0
}

// restoreA0 puts byte A0 back where a blank took its place; altered is false where there is no such place.
// A lone à stays a word, with the blank behind it kept, but for the Portuguese words that begin with it.
func restoreA0(b []byte) (restored []byte, altered bool) {
	for i := range b {
		if altered = alteredLen(b[i:]) > 0; altered {
			break
		}
	}
	if !altered {
		return b, false
	}
	b = keepGraveWords(b)
	for i := 0; i < len(b); {
		n := alteredLen(b[i:])
		for j := i; j < i+n; j++ {
			if b[j] == ' ' {
				b[j] = 0xA0
			}
		}
		i += max(n, 1)
	}
	return b, true
}

// keepGraveWords returns a copy of b with C3 20 as C3 A0 20.
func keepGraveWords(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/8)
	for i := 0; i < len(b); i++ {
		out = append(out, b[i])
		if b[i] != 0xC3 || i+1 == len(b) || b[i+1] != ' ' {
			continue
		}
		joined := false
		for _, rest := range []string{" ", "quele", "quela", "quilo", "s "} {
			joined = joined || bytes.HasPrefix(b[i+2:], []byte(rest))
		}
		if !joined {
			out = append(out, 0xA0, ' ')
			i++
		}
	}
	return out
}

// lossyLen returns the length of a UTF-8 sequence at the start of b of which bytes were lost: they became
// U+FFFD, which a sloppy encoding writes as one byte, or at most one of them a question mark. 0 if there is none.
func lossyLen(b []byte) int {
	lead := b[0]
	switch {
	case lead == substitute:
		return 1
	case 0xC2 <= lead && lead <= 0xDF:
		if len(b) >= 2 && (b[1] == substitute || b[1] == '?' && lead <= 0xC3) {
			return 2
		}
	case lead == 0xED && lossyPair(b):
		return 6
	case 0xE0 <= lead && lead <= 0xEF:
		if lossyTail(b, 2) {
			return 3
		}
	case 0xF0 <= lead && lead <= 0xF4:
		if lossyTail(b, 3) {
			return 4
		}
	}
	return 0
}

// lossyTail says whether n bytes follow the first that are continuations or lost ones, at least one of them
// lost, at most one a question mark.
func lossyTail(b []byte, n int) bool {
	if len(b) < n+1 {
		return false
	}
	lost, marks := 0, 0
	for _, c := range b[1 : n+1] {
		switch {
		case c == '?':
			marks++
		case c == substitute:
			lost++
		case !isContinuation(c):
			return false
		}
	}
	return lost+marks > 0 && marks <= 1
}

// lossyPair says whether b begins with two surrogates of three bytes, of which the last of one or both is lost.
func lossyPair(b []byte) bool {
	if len(b) < 6 || b[1]&0xF0 != 0xA0 || b[3] != 0xED || b[4]&0xF0 != 0xB0 {
		return false
	}
	lost := func(c byte) bool { return c == substitute || c == '?' }
	return lost(b[2]) && (lost(b[5]) || isContinuation(b[5])) || lost(b[5]) && isContinuation(b[2])
}

// replaceLossy writes U+FFFD for each sequence of which bytes were lost.
func replaceLossy(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		n := lossyLen(b[i:])
		if n == 0 {
			out = append(out, b[i])
			i++
			continue
		}
		out = append(out, "\uFFFD"...)
		i += n
	}
	return out
}
