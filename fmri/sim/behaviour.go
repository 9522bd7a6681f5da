package sim

import (
	"fmt"
	"strings"
)

// writeBehaviour writes responses.tsv: one line per trial of the continuous recognition task. The
// simulated subject remembers most of what it saw, answers late now and then, and misses a few.
func (t *tree) writeBehaviour(subject int) error {
	r := stream(t.options.Seed, forBehaviour, uint64(subject))
	d := t.design
	seen := d.seen(subject)
	var b strings.Builder
	b.WriteString("SUBJECT\tSESSION\tRUN\tTRIAL\t73KID\t10KID\tTIME\tISOLD\tISCORRECT\tRT\tCHANGEMIND\tMEMORYRECENT\t" +
		"MEMORYFIRST\tISOLDCURRENT\tISCORRECTCURRENT\tTOTAL1\tTOTAL2\tBUTTON\tMISSINGDATA\n")
	first, last, lastSession := map[int]int{}, map[int]int{}, map[int]int{}
	trial := 0
	for session := range d.sessions {
		for run, n := range d.runs {
			for i := range n {
				v := d.order[trial]
				old, oldCurrent := 0, 0
				recent, since := "NaN", "NaN"
				if at, ok := last[v]; ok {
					old = 1
					recent, since = fmt.Sprint(trial-at-1), fmt.Sprint(trial-first[v]-1)
					if lastSession[v] == session {
						oldCurrent = 1
					}
				} else {
					first[v] = trial
				}
				last[v], lastSession[v] = trial, session

				answer := old
				if r.Float64() < 0.12 {
					answer = 1 - old
				}
				correct, correctCurrent := flag(answer == old), flag(answer == oldCurrent)
				rt, button, total1, total2 := fmt.Sprintf("%.4f", 500+600*r.ExpFloat64()), fmt.Sprint(answer+1), 1-answer, answer
				if r.Float64() < 0.01 {
					correct, correctCurrent, rt, button, total1, total2 = "NaN", "NaN", "NaN", "NaN", 0, 0
				}
				// Days since the first session; a trial takes four seconds, a session a week.
				time := 7*float64(session) + 0.5 + (300*float64(run)+4*float64(i))/86400
				fmt.Fprintf(&b, "%d\t%d\t%d\t%d\t%d\t%d\t%.9g\t%d\t%s\t%s\t0\t%s\t%s\t%d\t%s\t%d\t%d\t%s\t0\n",
					subject+1, session+1, run+1, i+1, seen[v]+1, v+1, time, old, correct, rt, recent, since, oldCurrent,
					correctCurrent, total1, total2, button)
				trial++
			}
		}
	}
	return writeFile(t.path("nsddata/ppdata/%s/behav/responses.tsv", subjectName(subject)), []byte(b.String()))
}

func flag(v bool) string {
	if v {
		return "1"
	}
	return "0"
}
