package spec

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// Format returns s as a scenario file: every key with the value that is in
// force, paths absolute, secrets redacted. It reads back as what it is, but for
// the secrets.
func Format(s *loadtest.Scenario) []byte {
	f := file{
		Version: 1, Name: s.Name, Description: s.Description, Seed: s.Seed, Repeat: s.Repeat,
		Target: shownTarget(s), Hang: shownHang(s.Hang),
		Client: client{
			string(s.Client.Transport), s.Client.MaxInflight, s.Client.MaxConns, duration(s.Client.Timeout), duration(s.Client.LateLimit),
			times(s.Client.CatchUp), s.Client.FreshConns, s.Client.Insecure,
		},
	}
	if s.Service.Kind != "" {
		f.Service = map[string]string{"run": s.Service.Kind}
		maps.Copy(f.Service, s.Service.Options)
	}
	for _, p := range s.Phases {
		out := phase{Name: p.Name, For: duration(p.For), Judged: p.Judged, Scale: number(p.Scale), Stretch: p.Stretch}
		if p.Scale == 0 {
			out.Load = "none"
		}
		f.Phases = append(f.Phases, out)
	}
	for i := range s.Traffic {
		f.Scenarios = append(f.Scenarios, shownTraffic(&s.Traffic[i]))
	}
	for _, x := range s.Faults {
		out := fault{Name: x.Name, Phase: x.Phase, At: duration(x.At), For: duration(x.For), Every: duration(x.Every), Do: map[string]string{}}
		maps.Copy(out.Do, x.Do.Args)
		out.Do["kind"] = x.Do.Kind
		if x.Do.Target != "" {
			out.Do["target"] = x.Do.Target
		}
		f.Faults = append(f.Faults, out)
	}
	for _, t := range s.Thresholds {
		f.Thresholds = append(f.Thresholds, FormatThreshold(t))
	}
	var out strings.Builder
	emit(&out, "", "", reflect.ValueOf(&f).Elem())
	return []byte(out.String())
}

func shownTarget(s *loadtest.Scenario) target {
	t := s.Target
	f := target{
		BaseURL: t.BaseURL, AllowHosts: t.AllowHosts, Pprof: shownEndpoint(t.Pprof.URL, t.Pprof.Header),
		Metrics: metrics{endpoint: shownEndpoint(t.Metrics.URL, t.Metrics.Header)},
		Process: process{PIDFile: t.PIDFile},
		Ledger:  ledgerFile{endpoint: shownEndpoint(t.Ledger.URL, t.Ledger.Header), Kind: t.Ledger.Kind, Counter: t.Ledger.Counter},
	}
	switch {
	case t.Metrics.URL != "" || s.Service.Kind != "":
		f.Metrics.Every = duration(t.Every)
	case t.PIDFile != "":
		f.Process.Every = duration(t.Every)
	}
	return f
}

func shownEndpoint(url string, header http.Header) endpoint {
	return endpoint{URL: url, Headers: shownHeader(header)}
}

func shownHeader(header http.Header) map[string]string {
	if len(header) == 0 {
		return nil
	}
	out := map[string]string{}
	for name, values := range header {
		out[name] = strings.Join(values, ", ")
		if isSecret(name) {
			out[name] = redacted
		}
	}
	return out
}

func shownHang(h loadtest.Hang) hang {
	return hang{duration(h.After), duration(h.Gap), h.Probe, duration(h.Drain), h.Queue, h.Progress, h.Tolerate}
}

func shownTraffic(t *loadtest.Traffic) traffic {
	r, b := &t.Request, &t.Request.Body
	f := traffic{
		Name: t.Name, Judged: t.Judged, Phases: t.Phases, Pacing: shownPacing(&t.Pacing), Expect: shownExpect(t.Expect),
		Request: request{
			Method: r.Method, Path: r.Path, Headers: shownHeader(r.Header), Projects: r.Projects, ID: id{r.ID.Header},
			Body: body{b.Text, b.File, b.Push, b.Repository, b.Ref, b.Commits, span{size(b.MinSize), size(b.MaxSize)}},
			Sign: sign{Scheme: r.Sign.Scheme, Header: r.Sign.Header},
		},
	}
	if r.Sign.Secret != "" {
		f.Request.Sign.Secret = redacted
	}
	if t.Replay.Share > 0 {
		f.Replay = replay{share(t.Replay.Share), shownExpect(t.Replay.Expect)}
	}
	for _, n := range t.Negatives {
		mutate := n.Mutate.Kind
		switch mutate {
		case "body":
			mutate += "(" + size(n.Mutate.Size).String() + ")"
		case "path":
			mutate += "(" + n.Mutate.Path + ")"
		}
		f.Negative = append(f.Negative, negative{n.Name, share(n.Share), mutate, shownExpect(n.Expect)})
	}
	return f
}

func shownExpect(e loadtest.Expect) expect {
	return expect{e.Status, e.Contains, e.Closed, size(e.MaxBody)}
}

func shownPacing(p *loadtest.Pacing) pacing {
	f := pacing{
		Kind: string(p.Kind), Rate: rate(p.Rate), From: rate(p.From), To: rate(p.To), Step: rate(p.Step), Mean: rate(p.Mean),
		Amplitude: rate(p.Amplitude), Period: duration(p.Period), Shift: number(p.Shift), Base: rate(p.Base), Peak: rate(p.Peak),
		At: duration(p.At), For: duration(p.For), Size: p.Size, Every: duration(p.Every), File: p.File, Speed: number(p.Speed),
	}
	for _, s := range p.Steps {
		f.Steps = append(f.Steps, step{rate(s.Rate), duration(s.For)})
	}
	return f
}

// FormatThreshold writes a threshold out. [ParseThreshold] reads the same from it.
func FormatThreshold(t loadtest.Threshold) string {
	var b strings.Builder
	switch {
	case t.Aggregate == loadtest.Recover:
		fmt.Fprintf(&b, "recover(%s)", t.Fault)
	case t.Aggregate == loadtest.Quantile:
		fmt.Fprintf(&b, "p%s(%s)", shifted(t.Q, 2), shownSeries(&t))
	default:
		fmt.Fprintf(&b, "%s(%s)", t.Aggregate, shownSeries(&t))
	}
	fmt.Fprintf(&b, " %s %s", t.Compare, shownLimit(&t))
	if t.Over > 0 {
		fmt.Fprintf(&b, " over %s", t.Over)
	}
	switch {
	case t.Phase != "":
		b.WriteString(" in " + t.Phase)
	case t.InFault != "":
		b.WriteString(" in fault(" + t.InFault + ")")
	case t.Outside:
		b.WriteString(" outside faults")
	}
	if t.Abort > 0 {
		fmt.Fprintf(&b, ", abort after %d", t.Abort)
	}
	return b.String()
}

func shownSeries(t *loadtest.Threshold) string {
	text := string(t.Metric)
	if t.Server && !ofProcess(t.Metric) {
		text = "server." + text
	}
	for i, l := range t.Labels {
		value := l.Value
		if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r > 127 || !inValue(byte(r)) }) {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
		}
		text += "{,"[min(i, 1):min(i, 1)+1] + l.Name + "=" + value
	}
	if len(t.Labels) > 0 {
		text += "}"
	}
	return text
}

// shownLimit writes a limit in the unit in which it is short, without rounding it.
func shownLimit(t *loadtest.Threshold) string {
	text := plain(t.Limit)
	switch t.Unit {
	case loadtest.Seconds:
		switch {
		case t.Limit >= 1 || t.Limit == 0:
			text += "s"
		case t.Limit >= 1e-3:
			text = shifted(t.Limit, 3) + "ms"
		default:
			text = shifted(t.Limit, 6) + "us"
		}
	case loadtest.Share:
		text = shifted(t.Limit, 2) + "%"
	case loadtest.PerSecond:
		text += "/s"
	case loadtest.Bytes:
		text += "B"
		for _, u := range sizeUnits {
			if n := t.Limit / float64(u.bytes); n == float64(int64(n)) && n >= 1 {
				text = plain(n) + u.name
				break
			}
		}
	}
	if t.PerHour {
		text += "/h"
	}
	return text
}
