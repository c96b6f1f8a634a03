package scoreboard_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

func TestASlotTellsWhatRunsInIt(t *testing.T) {
	t.Parallel()
	b, _ := create(t)
	r := region(t, b, 0)
	r.Begin(1, 0)
	r.Use(5)
	s := &r.Slots()[4]
	long := strings.Repeat("x", 100)
	want := scoreboard.Request{ID: "request-1", Client: "[2001:db8::1]:65535", Route: 1, Stream: true, Begun: 10, Soft: 20, Hard: 30}
	s.SetSocket(17, 99, true)
	s.Set(scoreboard.Token(0).Next(scoreboard.Reading))
	s.Describe(want)
	s.Set(s.Token().To(scoreboard.Running))
	s.SetGroup(4321)
	s.Touch(15)
	v := r.Worker().Busy[0]
	if v.Index != 4 || v.Torn || v.Request != want || v.FD != 17 || v.Cookie != 99 || !v.TLS || v.Group != 4321 || v.Touched != 15 {
		t.Errorf("view: %+v", v)
	}
	if v.Token.Phase() != scoreboard.Running || v.Token.Generation() != 1 || v.Age(12) != 2 {
		t.Errorf("token %s of generation %d, age %d", v.Token.Phase(), v.Token.Generation(), v.Age(12))
	}
	s.Set(s.Token().Next(scoreboard.Reading))
	s.Describe(scoreboard.Request{ID: long, Client: long, Route: -1})
	v = s.View(4)
	if v.Request.ID != long[:64] || v.Request.Client != long[:48] || v.Request.Route != -1 || v.Request.Stream {
		t.Errorf("view of a request with long names: %+v", v.Request)
	}
	if v.Request.ID == "" || s.View(4).Request.ID != long[:64] {
		t.Error("the id of a client was lost")
	}
	s.Set(s.Token().Next(scoreboard.Reading))
	s.Describe(scoreboard.Request{Route: -1})
	if id := s.View(4).Request.ID; id != "" {
		t.Errorf("id %q without a seed", id)
	}
	s.SetSeed(7)
	first := s.View(4).Request.ID
	s.Set(s.Token().Next(scoreboard.Reading))
	s.Describe(scoreboard.Request{Route: -1})
	if second := s.View(4).Request.ID; len(first) != 16 || second == first || second != scoreboard.DerivedID(7, s.Token().Generation()) {
		t.Errorf("derived ids: %q, then %q", first, second)
	}
	if s.SetSocket(-1, 0, false); s.View(0).FD != -1 {
		t.Errorf("descriptor %d of a slot without one", s.View(0).FD)
	}
}

func TestWhoWinsTheTokenWinsAlone(t *testing.T) {
	t.Parallel()
	b, f := create(t)
	other, err := scoreboard.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	here, there := &region(t, b, 0).Slots()[0], &region(t, other, 0).Slots()[0]
	for range 5000 {
		running := here.Token().Next(scoreboard.Running)
		here.Set(running)
		won := make(chan bool, 3)
		go func() { won <- here.Swap(running, running.To(scoreboard.Answering)) }()
		go func() { won <- here.Swap(running, running.To(scoreboard.Killed)) }()
		go func() { won <- there.Swap(running, running.To(scoreboard.Seized)) }()
		n := 0
		for range 3 {
			if <-won {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%d won", n)
		}
		if here.Swap(running, running.To(scoreboard.Killed)) {
			t.Fatal("somebody won a request that was answered")
		}
	}
}

// pattern is a request all of whose fields follow from n.
func pattern(n int) scoreboard.Request {
	text := fmt.Sprintf("%020d", n)
	return scoreboard.Request{
		ID: text + text, Client: text, Route: n % 1000, Stream: n%2 == 1,
		Begun: int64(n), Soft: int64(n) + 1, Hard: int64(n) + 2,
	}
}

// childMain writes patterns into all slots, as fast as it can, until it is killed.
func childMain() int {
	b, err := scoreboard.Open(os.NewFile(3, "board"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	r, err := b.Pools()[0].Region(2)
	if err != nil {
		return 1
	}
	slots := r.Slots()[:4]
	r.Use(len(slots))
	fmt.Println("writes")
	for n := 0; ; n++ {
		s := &slots[n%len(slots)]
		s.Set(s.Token().Next(scoreboard.Reading))
		s.Describe(pattern(n))
		s.Set(s.Token().To(scoreboard.Running))
	}
}

func TestReadsOfAnotherProcessAreNeverTorn(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, f := create(t)
	r := region(t, b, 2)
	read, torn := 0, 0
	for range 20 {
		r.Begin(1, 2)
		child := exec.CommandContext(t.Context(), exe, "child")
		child.ExtraFiles = []*os.File{f}
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "writes\n" {
			t.Fatalf("%q, %v", line, err)
		}
		check := func(v scoreboard.View) {
			read++
			switch {
			case v.Torn:
				torn++
			case v.Token.Phase() == scoreboard.Running && v.Request != pattern(int(v.Request.Begun)):
				t.Fatalf("torn: %+v", v)
			}
		}
		for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
			for i := range r.Used() {
				check(r.Used()[i].View(i))
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		// What the killed writer left can be read, and does not look whole if it is not.
		for i := range r.Used() {
			check(r.Used()[i].View(i))
		}
	}
	if read < 1000 || torn > read/2 {
		t.Errorf("%d views, of which %d torn", read, torn)
	}
}

// BenchmarkScan looks at 1,024 slots as a watchdog does in every pass.
func BenchmarkScan(b *testing.B) {
	board, _ := create(b)
	r := region(b, board, 0)
	r.Begin(1, 0)
	r.Use(1024)
	for i := range r.Slots() {
		r.Slots()[i].Set(scoreboard.Token(0).Next(scoreboard.Idle))
	}
	b.ReportAllocs()
	for b.Loop() {
		busy := 0
		used := r.Used()
		for i := range used {
			if used[i].Token().Busy() {
				busy++
			}
		}
		if busy != 0 {
			b.Fatal(busy)
		}
	}
}

func BenchmarkDescribe(b *testing.B) {
	board, _ := create(b)
	s := &region(b, board, 0).Slots()[0]
	request := scoreboard.Request{ID: "0123456789abcdef", Client: "192.0.2.1:65535", Route: 1, Begun: 1, Soft: 2, Hard: 3}
	b.ReportAllocs()
	for b.Loop() {
		t := s.Token().Next(scoreboard.Reading)
		s.Set(t)
		s.Describe(request)
		s.Set(t.To(scoreboard.Running))
	}
}
