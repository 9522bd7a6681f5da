package progress

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stream collects what is written from several goroutines.
type stream struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Work of 100 s, a part in each second, says where it stands after 5, 35, 65 and 95 seconds.
func TestLinesWithoutATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out stream
		task := New(&out).Start("z of the images")
		time.Sleep(time.Second / 2) // so that work and lines do not fall on the same instant
		for i := range 100 {
			task.Progress(i, 100)
			time.Sleep(time.Second)
		}
		task.End(false)
		time.Sleep(time.Hour) // and nothing after its end
		want := []string{"   4 %, 4 of 100, 2 min left", "  34 %, 34 of 100, 67 s left", "  64 %, 64 of 100, 36 s left",
			"  94 %, 94 of 100, 6 s left", " 100.5 s"}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, "z of the images ") || !strings.HasSuffix(line, want[i]) {
				t.Errorf("line %d is %q, want %q", i, line, want[i])
			}
		}
	})
}

func TestTimeLeftIsOfWhatThisRunDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out stream
		log := New(&out)
		log.Set(Options{JSON: true})
		task := log.Start("c")
		task.Progress(900, 1000) // by an earlier run
		time.Sleep(4 * time.Second)
		task.Progress(910, 1000)
		time.Sleep(2 * time.Second)
		task.Drop()
		var line struct {
			Time, Level, Message, Task string
			Done, Total                int
			Left                       float64 `json:"seconds_left"`
		}
		if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
			t.Fatalf("%v in %q", err, out.String())
		}
		// 10 parts in the 5 seconds that had gone by leave 45 for the other 90.
		if line.Level != "progress" || line.Task != "c" || line.Done != 910 || line.Total != 1000 || line.Left != 45 {
			t.Errorf("%+v", line)
		}
		if _, err := time.Parse(time.RFC3339, line.Time); err != nil {
			t.Error(err)
		}
	})
}

func TestSilentWorkStillTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out stream
		task := New(&out).Start("read")
		time.Sleep(3 * time.Minute)
		if err := task.Finish(false, errors.New("broken")); err == nil || err.Error() != "broken" {
			t.Error(err)
		}
		if n := strings.Count(out.String(), " so far\n"); n != 6 || !strings.Contains(out.String(), " 65 s so far\n") {
			t.Errorf("%d lines, want 6 after 5, 35, … 155 s:\n%s", n, out.String())
		}
	})
}

func TestQuietLeavesErrorsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out stream
		log := New(&out)
		log.Set(Options{Quiet: true})
		log.Say("a line")
		log.Note("a note")
		log.Warn("a warning")
		task := log.Start("work")
		task.Progress(1, 2)
		time.Sleep(time.Minute)
		task.End(false)
		log.Error("broken", "")
		log.Close()
		log.Error("too late", "")
		if got := out.String(); got != "percept: broken\n" {
			t.Errorf("%q", got)
		}
	})
}

func TestEachLineIsAnObject(t *testing.T) {
	var out stream
	log := New(&out)
	log.Set(Options{JSON: true})
	if _, err := log.Write([]byte("percept: one\ntwo \"quoted\" <&>\n")); err != nil {
		t.Fatal(err)
	}
	log.Note("three")
	log.Warn("four")
	log.Error("five", "percept demo; percept demo --help has more")
	want := [][2]string{{"info", "one"}, {"info", `two "quoted" <&>`}, {"note", "three"}, {"warning", "four"}, {"error", "five"}}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out.String())
	}
	for i, line := range lines {
		var got map[string]string
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if got["level"] != want[i][0] || got["message"] != want[i][1] || (got["usage"] != "") != (i == 4) {
			t.Errorf("line %d is %v, want %v", i, got, want[i])
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 s", 89 * time.Second: "89 s", 90 * time.Second: "2 min", 12 * time.Minute: "12 min",
		89 * time.Minute: "89 min", 3*time.Hour + 5*time.Minute: "3 h 5 min", 119*time.Minute + 40*time.Second: "2 h 0 min"} {
		if got := Duration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
