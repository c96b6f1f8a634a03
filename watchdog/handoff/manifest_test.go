package handoff_test

import (
	"strings"
	"testing"

	"github.com/seadog/seadog/watchdog/handoff"
)

func FuzzParseManifest(f *testing.F) {
	const whole = `{"protocol":3,"pool":"http","index":0,"incarnation":1,"master":7,"kill_grace":5,"files":[{"role":"control"},{"role":"scoreboard"},{"role":"listener","name":"a"},{"role":"ring","name":"b"},{"role":"hear","name":"b"}]}`
	f.Add(whole)
	f.Add(strings.Replace(whole, `"protocol":3`, `"protocol":9`, 1))
	f.Add(strings.Replace(whole, `,{"role":"hear","name":"b"}`, "", 1))
	f.Add(strings.Replace(whole, `"listener"`, `"other"`, 1))
	f.Add(strings.Replace(whole, `{"role":"control"},`, "", 1))
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		m, err := handoff.ParseManifest(value)
		if err == nil && (m.Pool == "" || len(m.Files) < 2 || len(m.Files) > 256) {
			t.Errorf("accepted %+v", m)
		}
	})
}

func TestManifestsThatAreNotAccepted(t *testing.T) {
	t.Parallel()
	const whole = `{"protocol":3,"pool":"http","files":[{"role":"control"},{"role":"scoreboard"},{"role":"ring","name":"b"},{"role":"hear","name":"b"}]}`
	if _, err := handoff.ParseManifest(whole); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{`"protocol":3`, `"protocol":9`, "protocol 9"},
		{`"pool":"http"`, `"pool":""`, "incomplete"},
		{`{"role":"control"},`, ``, "no control socket"},
		{`{"role":"control"}`, `{"role":"control","name":"x"}`, "bad entry"},
		{`{"role":"control"}`, `{"role":"control"},{"role":"control"}`, "bad entry"},
		{`"hear"`, `"other"`, "unknown role"},
		{`,{"role":"hear","name":"b"}`, ``, "half a doorbell"},
		{`{"role":"ring","name":"b"},`, ``, "half a doorbell"},
		{`{`, ``, "read manifest"},
	} {
		_, err := handoff.ParseManifest(strings.Replace(whole, c[0], c[1], 1))
		if err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s instead of %s: %v, want %q", c[1], c[0], err, c[2])
		}
	}
}
