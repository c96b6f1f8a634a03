package watchdog

import "slices"

// Stall finds a dependency that is down: two or more workers in which
// everything that was given up or is overdue waits for I/O at the same place.
// Killing them would help nobody, the next ones would wait there again. It
// returns the place at which most do.
func (s Sight) Stall() (place string, workers []ID, ok bool) {
	for p, ids := range s.stalls() {
		if len(ids) > len(workers) || len(ids) == len(workers) && p < place {
			place, workers = p, ids
		}
	}
	return place, workers, len(workers) > 0
}

// stalls are the places at which at least two processes wait, with those
// processes. Workers on their way out are witnesses too.
func (s Sight) stalls() map[string][]ID {
	found := map[string][]ID{}
	for _, w := range s.Workers {
		if place := w.waiting(); w.State.Serves() && place != "" {
			found[place] = append(found[place], w.ID)
		}
	}
	for place, ids := range found {
		if len(ids) < 2 {
			delete(found, place)
		}
	}
	return found
}

// waiting is the one place at which all late tasks of w wait; empty if there
// is none.
func (w Seen) waiting() string {
	place := ""
	for _, t := range w.Busy {
		if t.Abandoned == 0 && !t.overdue() {
			continue
		}
		if t.Waiting == "" || place != "" && place != t.Waiting {
			return ""
		}
		place = t.Waiting
	}
	return place
}

// depend reports whether all these tasks wait for a dependency that is down.
func depend(tasks []Task, stalls map[string][]ID) bool {
	return !slices.ContainsFunc(tasks, func(t Task) bool { return len(stalls[t.Waiting]) == 0 })
}
