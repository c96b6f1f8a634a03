package selfdump

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// Labels that a goroutine of a request gets besides [watchdog.LabelSlot].
const (
	labelRequest = "request"
	labelRoute   = "route"
)

// render writes what may leave the process, and returns how many goroutines are
// not in it.
func (s *Server) render(taken Taken) (*bytes.Buffer, int) {
	var b bytes.Buffer
	dropped := taken.Dropped
	labels := map[int]map[string]string{}
	for i := range taken.Goroutines {
		g := &taken.Goroutines[i]
		if b.Len() > mostDump {
			dropped += g.Count
			continue
		}
		var own map[string]string
		if slot, err := strconv.Atoi(g.Labels[watchdog.LabelSlot]); err == nil {
			if labels[slot] == nil {
				labels[slot] = s.labels(slot, taken.Began)
			}
			own = labels[slot]
		}
		g.Print(&b, own)
		b.WriteByte('\n')
	}
	return &b, dropped
}

// labels tells what runs in a slot: whatever ran there when the dump was taken.
func (s *Server) labels(slot int, taken int64) map[string]string {
	labels := map[string]string{watchdog.LabelSlot: strconv.Itoa(slot)}
	v, ok := s.view(slot)
	if !ok || v.Request.Begun > taken {
		return labels
	}
	labels[labelRequest] = v.Request.ID
	if route := s.route(v); route != "" {
		labels[labelRoute] = route
	}
	return labels
}

// view reads a slot; false if nothing runs there.
func (s *Server) view(slot int) (scoreboard.View, bool) {
	region := s.config.Taker.region
	if region == nil || slot < 0 || slot >= len(region.Used()) {
		return scoreboard.View{}, false
	}
	v := region.Used()[slot].View(slot)
	return v, !v.Torn && v.Token.Busy()
}

func (s *Server) route(v scoreboard.View) string {
	if i := v.Request.Route; i >= 0 && i < len(s.config.Routes) {
		return s.config.Routes[i]
	}
	return ""
}

// oldest returns the requests that have been under way for longest.
func (s *Server) oldest() []Request {
	region := s.config.Taker.region
	if region == nil {
		return nil
	}
	var all []Request
	now := scoreboard.Now()
	for slot := range region.Used() {
		if v, ok := s.view(slot); ok {
			all = append(all, Request{Slot: slot, ID: v.Request.ID, Route: s.route(v), Age: v.Age(now)})
		}
	}
	slices.SortFunc(all, func(a, b Request) int { return cmp.Compare(b.Age, a.Age) })
	return all[:min(len(all), mostRequests)]
}
