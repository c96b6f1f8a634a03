package gate

import (
	"fmt"
	"strings"
	"time"
)

// Profile is how long the suite takes, and so how small a leak it can find.
type Profile struct {
	Name    string
	Stretch float64 // of the phases that may be longer
	Soak    float64 // the same of the soak
	// Least is how long a run must be for slopes to be judged in it.
	Least time.Duration
	// WarmUp is the least that is left out of the steady service's life.
	WarmUp time.Duration
}

// Profiles, from the shortest to the longest.
var profiles = [...]Profile{
	{"quick", 1, 1, 3 * time.Minute, 30 * time.Second},       // 5 min
	{"standard", 8, 32, 3 * time.Minute, time.Minute},        // 30 min
	{"long", 8, 32 * 52, 10 * time.Minute, 10 * time.Minute}, // 8 h
}

// ProfileOf returns the profile of that name.
func ProfileOf(name string) (Profile, error) {
	var names []string
	for _, p := range profiles {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("there is no profile %q; there are %s", name, strings.Join(names, ", "))
}

func (p Profile) stretch(scenario string) float64 {
	if scenario == "soak" {
		return p.Soak
	}
	return p.Stretch
}
