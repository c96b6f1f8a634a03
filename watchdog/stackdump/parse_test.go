package stackdump_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog/stackdump"
)

var update = flag.Bool("update", false, "write the golden files of what is in testdata")

func parse(t testing.TB, text string) *stackdump.Dump {
	t.Helper()
	d, err := stackdump.Parse(strings.NewReader(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRecordedDumps(t *testing.T) {
	t.Parallel()
	for _, text := range recorded(t) {
		t.Run(filepath.Base(text), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(parse(t, string(data)), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(text, ".txt") + ".golden.json"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(bytes.TrimSpace(want)), string(got)); diff != "" {
				t.Error(diff)
			}
			crlf := parse(t, strings.ReplaceAll(string(data), "\n", "\r\n"))
			if diff := cmp.Diff(parse(t, string(data)), crlf); diff != "" {
				t.Errorf("with CRLF: %s", diff)
			}
		})
	}
}

func recorded(t testing.TB) []string {
	t.Helper()
	texts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(texts) == 0 {
		t.Fatal("no testdata", err)
	}
	return texts
}

func TestDumpsOfThisGo(t *testing.T) {
	t.Parallel()
	for how, addresses := range map[string]int{"stack": 7, "debug2": 7, "sigquit": 9, "debug1": 0} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			text := sickDump(t, how)
			d := parse(t, text)
			if len(d.Problems) > 0 {
				t.Errorf("problems: %v\n%s", d.Problems, text)
			}
			known, slots, count := 0, map[string]bool{}, 0
			for i := range d.Goroutines {
				g := &d.Goroutines[i]
				if w, ok := g.Wait(); ok {
					count += g.Count
					if w.Lock != 0 {
						known++
					}
					slots[g.Labels["slot"]] = true
					if g.Labels["slot"] != "" && g.Labels["route"] != `GET "/" x` {
						t.Errorf("labels %q", g.Labels)
					}
				}
			}
			if count != patients || known != addresses || len(slots) != 6 {
				t.Errorf("%d wait, %d with an address, slots %v\n%s", count, known, slots, text)
			}
			if how != "debug1" && (inState(d, "chan receive (nil chan)") != 1 || inState(d, "sync.RWMutex.RLock") != 1) {
				t.Errorf("states are lost\n%s", text)
			}
			if quit := how == "sigquit"; quit != strings.HasPrefix(d.Reason, "SIGQUIT") {
				t.Errorf("reason %q", d.Reason)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	frame := []stackdump.Frame{{Func: "main.f", File: "/a b/x.go", Line: 3, Arg: 0x1f}}
	for header, want := range map[string]stackdump.Goroutine{
		"goroutine 1 [running]:":                                   {ID: 1, State: "running"},
		"goroutine 1 gp=0xc000002380 m=3 mp=0xc000080008 [idle]:":  {ID: 1, State: "idle"},
		"goroutine 9 gp=0xc000002380 m=nil [chan receive (scan)]:": {ID: 9, State: "chan receive", Scan: true},
		"goroutine 9 [chan send (leaked) (scan), 3 minutes]:":      {ID: 9, State: "chan send", Leaked: true, Scan: true, Minutes: 3},
		"goroutine 9 [chan send (leaked)]:":                        {ID: 9, State: "chan send", Leaked: true},
		"goroutine 9 [select (durable), 12 minutes, locked to thread, synctest bubble 4]:": {
			ID: 9, State: "select (durable)", Minutes: 12, Locked: true, Bubble: 4,
		},
		"goroutine 9 [sleep, synctest group 4]:":                             {ID: 9, State: "sleep", Bubble: 4},
		`goroutine 9 [select, 1 minutes labels:{"a": "b, \"c\"]", "d":""}]:`: {ID: 9, State: "select", Minutes: 1, Labels: map[string]string{"a": `b, "c"]`, "d": ""}},
		"2026/01/01 a log without an endgoroutine 9 [select]:":               {ID: 9, State: "select"},
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			d := parse(t, header+"\nmain.f(0x1f, {0x2?, ...})\n\t/a b/x.go:3 +0x1d fp=0x1 sp=0x2 pc=0x3\n")
			want.Count, want.Frames = 1, frame
			if diff := cmp.Diff(&stackdump.Dump{Goroutines: []stackdump.Goroutine{want}}, d); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBrokenDumps(t *testing.T) {
	t.Parallel()
	const fine = "\ngoroutine 2 [select]:\nmain.g(0x0?)\n\t/x.go:4 +0x1\ncreated by main.main in goroutine 1\n\t/x.go:1\n"
	for name, test := range map[string]struct{ text, problem, state, function string }{
		"garbage between the lines of a frame": {"goroutine 1 [IO wait]:\nmain.f(0x1)\nlevel=info msg=\"f (1)\"\n\n\ttab\n\t/x.go:3 +0x1\n", "", "IO wait", "main.f"},
		"an attribute from the future":         {"goroutine 1 [IO wait, in orbit]:\nmain.f(0x1)\n\t/x.go:3\n", "unknown attribute in the header", "IO wait", "main.f"},
		"a header that breaks off":             {"goroutine 1 [IO wa\nmain.f(0x1)\n\t/x.go:3\n", "the header breaks off", "IO wa", "main.f"},
		"labels that break off":                {"goroutine 1 [IO wait labels:{\"a\": \"b\n\nmain.f(0x1)\n\t/x.go:3\n", "broken labels", "IO wait", "main.f"},
		"a call without a position":            {"goroutine 1 [IO wait]:\nmain.f(0x1)\nmain.h(...)\n\t/x.go:3\n", "a call without its position", "IO wait", "main.f"},
		"no stack":                             {"goroutine 1 [IO wait]:\n", "a goroutine without a stack", "IO wait", ""},
		"a stack on another thread":            {"goroutine 1 [running]:\n\tgoroutine running on other thread; stack unavailable\n", "", "running", ""},
		"ancestors":                            {"goroutine 1 [select]:\nmain.f(...)\n\t/x.go:3\n[originating from goroutine 7]:\nmain.old(...)\n\t/x.go:3\n", "", "select", "main.f"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, test.text+fine)
			if len(d.Goroutines) != 2 || d.Goroutines[0].State != test.state || d.Goroutines[0].Where().Func != test.function {
				t.Fatalf("got %+v", d.Goroutines)
			}
			if g := d.Goroutines[1]; g.ID != 2 || g.CreatorID != 1 || g.Creator.File != "/x.go" || len(g.Frames) != 1 || g.Frames[0].Arg != 0 {
				t.Errorf("the next one suffers: %+v", g)
			}
			problem := ""
			if len(d.Problems) > 0 {
				problem = d.Problems[0].What
			}
			if problem != test.problem {
				t.Errorf("problems %v, want %q", d.Problems, test.problem)
			}
		})
	}
	t.Run("a reader that fails", func(t *testing.T) {
		t.Parallel()
		d, err := stackdump.Parse(io.MultiReader(strings.NewReader(fine), iotest.ErrReader(io.ErrUnexpectedEOF)), 0)
		if !errors.Is(err, io.ErrUnexpectedEOF) || d.Total() != 1 {
			t.Errorf("%v, %+v", err, d)
		}
	})
	t.Run("cut anywhere", func(t *testing.T) {
		t.Parallel()
		data, err := os.ReadFile("testdata/go1.26-sigquit.txt")
		if err != nil {
			t.Fatal(err)
		}
		whole := parse(t, string(data)).Goroutines
		for range 300 {
			d := parse(t, string(data[:rand.IntN(len(data))]))
			if n := len(d.Goroutines) - 1; n > 0 {
				if diff := cmp.Diff(whole[:n], d.Goroutines[:n]); diff != "" {
					t.Fatal(diff)
				}
			}
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("by a budget for goroutines", func(t *testing.T) {
		t.Parallel()
		var text strings.Builder
		for i := range 5000 {
			fmt.Fprintf(&text, "goroutine %d [select]:\nmain.f%d(0x1)\n\t/x%d.go:3\n\n", i+1, i, i)
		}
		d, err := stackdump.Parse(strings.NewReader(text.String()), 100_000)
		if err != nil || d.Total() != 5000 || d.Dropped == 0 || len(d.Goroutines) < 100 {
			t.Errorf("%v: %d kept, %d dropped", err, len(d.Goroutines), d.Dropped)
		}
	})
	t.Run("in lines of any length", func(t *testing.T) {
		t.Parallel()
		long := io.LimitReader(zeroes{}, 64<<20)
		d, err := stackdump.Parse(io.MultiReader(strings.NewReader("goroutine 1 [select]:\nmain.f(0x1)\n"), long, strings.NewReader("\n\t/x.go:3\n")), 0)
		if err != nil || d.Total() != 1 || d.Goroutines[0].Frames[0].Line != 3 {
			t.Errorf("%v: %+v", err, d)
		}
	})
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func FuzzParse(f *testing.F) {
	for _, text := range recorded(f) {
		data, err := os.ReadFile(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("goroutine 9 [select (scan), 1 minutes labels:{\"a\": \"b\\x00\"}]:\nmain.f({0x1?})\n\tx:1\ncreated by f in goroutine 3\n\tx:2"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const budget = 1 << 20
		d, err := stackdump.Parse(bytes.NewReader(data), budget)
		if err != nil {
			t.Fatal(err)
		}
		members := d.Dropped
		for _, g := range stackdump.Groups(d) {
			members += g.Count
		}
		if members != d.Total() {
			t.Errorf("%d goroutines in groups, %d in all", members, d.Total())
		}
		stackdump.Locks(d)
		stackdump.Stalled(d, d, d)
	})
}

func BenchmarkParse(b *testing.B) {
	for _, how := range []string{"stack", "sigquit", "debug1"} {
		b.Run(how, func(b *testing.B) {
			data, err := os.ReadFile("testdata/go1.26-" + how + ".txt")
			if err != nil {
				b.Fatal(err)
			}
			data = bytes.Repeat(data, (8<<20)/len(data))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := stackdump.Parse(bytes.NewReader(data), 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
