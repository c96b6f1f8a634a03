package spec

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// builder turns what a file says into a scenario, and says what is wrong with
// it. It goes on after a problem.
type builder struct {
	*decoder
	f *file
	o Options
	s *loadtest.Scenario
}

// defaults is a file in which nothing stands.
func defaults() *file {
	return &file{
		Client: client{
			Transport: string(loadtest.NetHTTP), MaxInflight: 256, Timeout: duration(5 * time.Second),
			LateLimit: duration(2 * time.Second), CatchUp: 2,
		},
		Repeat: 1,
	}
}

func (b *builder) build() {
	b.head()
	b.service()
	b.target()
	b.client()
	b.phases()
	b.traffic()
	b.faults()
	b.thresholds()
	b.hang()
	if len(b.problems) == 0 {
		b.samples()
	}
}

func (b *builder) head() {
	switch {
	case !b.given("version"):
		b.fail("version", "write version: 1", "missing")
	case b.f.Version != 1:
		b.fail("version", "write 1", "there is no version %d of this format", b.f.Version)
	}
	if !b.given("name") {
		b.fail("name", "give the scenario a name", "missing")
	} else {
		b.name("name", b.f.Name, "a scenario")
	}
	if b.f.Repeat < 1 || b.f.Repeat > 25 {
		b.fail("repeat", "write how many runs there are, from 1 to 25; the median one decides", "%d is out of range", b.f.Repeat)
	}
	b.s.Name, b.s.Description, b.s.Seed, b.s.Repeat = b.f.Name, strings.TrimSpace(b.f.Description), b.f.Seed, b.f.Repeat
}

// nameRE is what names may be: they are labels of metrics, words of thresholds
// and parts of the names of files.
var nameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

func (b *builder) name(key, name, of string) {
	if !nameRE.MatchString(name) {
		b.fail(key, "use letters, digits, -, _ and ., at most 63, beginning with a letter or digit", "%q cannot name %s", cut(name), of)
	}
}

// unique reports a name that is given twice in a list.
func (b *builder) unique(list string, names []string) {
	for i, name := range names {
		if first := slices.Index(names, name); first < i && name != "" {
			b.fail(item(list, i)+".name", "give every one a name of its own", "%s[%d] has the name %s already", list, first, name)
		}
	}
}

func (b *builder) client() {
	c := b.f.Client
	if !b.given("client.max_conns") {
		c.MaxConns = c.MaxInflight
	}
	if t := loadtest.Transport(c.Transport); t != loadtest.NetHTTP && t != loadtest.FastHTTP {
		b.fail("client.transport", "write nethttp, or fasthttp for more than 20000 requests a second", "%q is not a transport", cut(c.Transport))
	}
	const most = 100_000
	if c.MaxInflight < 1 || c.MaxInflight > most {
		b.fail("client.max_inflight", fmt.Sprintf("write how many requests may be on their way at once, from 1 to %d", most), "%d is out of range", c.MaxInflight)
	}
	switch {
	case b.bad["client.max_inflight"]:
	case c.MaxConns < 1 || c.MaxConns > most:
		b.fail("client.max_conns", fmt.Sprintf("write a number from 1 to %d", most), "%d is out of range", c.MaxConns)
	}
	b.between("client.timeout", c.Timeout, time.Millisecond, 10*time.Minute)
	b.between("client.late_limit", c.LateLimit, 0, time.Hour)
	b.s.Client = loadtest.Client{
		Transport: loadtest.Transport(c.Transport), MaxInflight: c.MaxInflight, MaxConns: c.MaxConns, Timeout: time.Duration(c.Timeout),
		LateLimit: time.Duration(c.LateLimit), CatchUp: float64(c.CatchUp), FreshConns: c.FreshConns, Insecure: c.Insecure,
	}
}

func (b *builder) between(key string, d duration, least, most time.Duration) {
	if time.Duration(d) < least || time.Duration(d) > most {
		b.fail(key, fmt.Sprintf("write a duration from %s to %s", least, most), "%s is out of range", time.Duration(d))
	}
}

// maxPhase is how long a phase may be.
const maxPhase = 31 * 24 * time.Hour

func (b *builder) phases() {
	if len(b.f.Phases) == 0 {
		b.fail("phases", "list at least one: [{name: steady, for: 30s}]", "there is no phase, so nothing would be sent")
	}
	var names []string
	for i, p := range b.f.Phases {
		key := item("phases", i)
		b.required(key, "name", "for")
		if b.given(key + ".name") {
			b.name(key+".name", p.Name, "a phase")
		}
		b.between(key+".for", p.For, time.Millisecond, maxPhase)
		out := loadtest.Phase{Name: p.Name, For: time.Duration(p.For), Scale: 1, Judged: p.Judged || !b.given(key+".judged"), Stretch: p.Stretch}
		switch {
		case b.given(key+".load") && p.Load != "none":
			b.fail(key+".load", "write load: none, or a scale", "%q is not a load", cut(p.Load))
		case b.given(key+".load") && b.given(key+".scale"):
			b.fail(key+".scale", "keep one of the two", "load: none leaves nothing to scale")
		case b.given(key + ".load"):
			out.Scale = 0
		case b.given(key+".scale") && (p.Scale < 0.001 || p.Scale > 1000):
			b.fail(key+".scale", "write a factor of all rates from 0.001 to 1000; a phase without load says load: none", "%s is out of range", plain(float64(p.Scale)))
		case b.given(key + ".scale"):
			out.Scale = float64(p.Scale)
		}
		if p.Stretch && b.o.Stretch > 0 {
			out.For = time.Duration(float64(out.For) * b.o.Stretch).Round(time.Millisecond)
			if out.For > maxPhase || out.For < time.Millisecond {
				b.fail(key+".for", "stretch it less", "%s times %g is out of range", time.Duration(p.For), b.o.Stretch)
			}
		}
		b.s.Phases = append(b.s.Phases, out)
		names = append(names, p.Name)
	}
	b.unique("phases", names)
}

// required reports keys of a mapping that are missing.
func (b *builder) required(key string, names ...string) {
	for _, name := range names {
		if path := below(key, name); !b.given(path) {
			b.fail(path, "add it", "missing")
		}
	}
}

// managed reports whether somebody starts the service for the scenario. He
// knows its address, its metrics and its secrets.
func (b *builder) managed() bool { return b.given("service") }

func (b *builder) service() {
	for _, name := range slices.Sorted(maps.Keys(b.f.Service)) {
		if !nameRE.MatchString(name) {
			b.fail("service."+name, "write a plain word", "%q cannot name an option", cut(name))
		}
	}
	kind := b.f.Service["run"]
	switch {
	case !b.managed():
		return
	case kind == "":
		b.fail("service.run", "write what is started, like run: serve", "missing")
		return
	}
	b.name("service.run", kind, "a service")
	options := maps.Clone(b.f.Service)
	delete(options, "run")
	b.s.Service = loadtest.Service{Kind: kind, Options: options}
}

// path returns where a file of the scenario is.
func (b *builder) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	absolute, err := filepath.Abs(filepath.Join(b.o.Dir, name))
	if err != nil { // there is no working directory
		return filepath.Join(b.o.Dir, name)
	}
	return absolute
}
