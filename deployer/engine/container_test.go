package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/health"
)

func TestServices(t *testing.T) {
	e := shared.Start(t)
	c := dial(t, engine.Config{Host: e.Host()})
	id := e.Image(t, "services:1", "one")
	project := e.Project(t)
	number := func(n string) string { return "com.docker.compose.container-number=" + n }
	create(t, e, project, "web", "--name", project+"-web-2", "--label", number("2"), "services:1")
	docker(t, e, "start", create(t, e, project, "web", "--name", project+"-web-1", "--label", number("1"), "--restart", "unless-stopped",
		"--health-cmd", "x", "services:1"))
	docker(t, e, "start", create(t, e, project, "job", "--name", project+"-job-1", "--label", number("1"), "-e", "EXIT_AFTER=0s", "-e", "EXIT_CODE=3", "services:1"))
	docker(t, e, "start", create(t, e, project, "loop", "--name", project+"-loop-1", "--label", number("1"), "-e", "EXIT_AFTER=0s", "--restart", "always", "services:1"))
	create(t, e, project, "web", "--label", "com.docker.compose.oneoff=True", "services:1")
	create(t, e, "another", "web", "services:1")

	var got map[string]health.Observation
	eventually(t, "the job has ended and the loop was restarted twice", func() bool {
		seen, err := c.Services(t.Context(), project)
		if err != nil {
			t.Fatal(err)
		}
		got = map[string]health.Observation{}
		for _, o := range seen {
			got[strings.TrimPrefix(o.Name, project+"-")] = o
		}
		return got["job-1"].State == health.Exited && got["loop-1"].Restarts >= 2
	})

	want := map[string]health.Observation{
		"job-1":  {Service: "job", Number: 1, State: health.Exited, Restart: "no", ExitCode: 3},
		"loop-1": {Service: "loop", Number: 1, Restart: "always", Restarts: got["loop-1"].Restarts, State: got["loop-1"].State},
		"web-1":  {Service: "web", Number: 1, State: health.Running, Restart: "unless-stopped", Check: health.CheckStarting},
		"web-2":  {Service: "web", Number: 2, State: health.Created, Restart: "no"},
	}
	for name, o := range want {
		o.Image, o.Ref, o.Name = id, "services:1", project+"-"+name
		want[name] = o
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(health.Observation{}, "ID", "Started", "Finished", "CheckLog")); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if web := got["web-1"]; web.Started.IsZero() || len(web.ID) != 64 {
		t.Errorf("web-1 started at %v with id %q", web.Started, web.ID)
	}
}

func TestLogs(t *testing.T) {
	e := shared.Start(t)
	c := dial(t, engine.Config{Host: e.Host()})
	e.Image(t, "logs:1", "one")
	project := e.Project(t)
	for name, extra := range map[string][]string{"pipes": nil, "terminal": {"--tty"}} {
		t.Run(name+" show their last lines", func(t *testing.T) {
			id := create(t, e, project, name, append(extra, "-e", "PRINT=5000", "logs:1")...)
			docker(t, e, "start", id)
			eventually(t, "the last line is there", func() bool {
				got, err := c.Logs(t.Context(), id, 2)
				if err != nil {
					t.Fatal(err)
				}
				return cmp.Equal(got, []string{"line 4999", "line 5000"})
			})
			all, err := c.Logs(t.Context(), id, 5000)
			if err != nil {
				t.Fatal(err)
			}
			if size := len(strings.Join(all, "\n")); size > 64<<10 {
				t.Errorf("kept %d bytes of logs", size)
			}
		})
	}
	t.Run("of no container are an error of the engine, not of its health", func(t *testing.T) {
		_, err := c.Logs(t.Context(), "nosuchcontainer", 1)
		if engine.CauseOf(err) != "step_failed" {
			t.Errorf("got %v", err)
		}
	})
}

func TestRepair(t *testing.T) {
	e := shared.Start(t)
	c := dial(t, engine.Config{Host: e.Host()})
	e.Image(t, "repair:1", "one")
	project := e.Project(t)
	web, db, other := project+"-web-1", project+"-db-1", e.Project(t)+"x"
	create(t, e, project, "web", "--name", web, "repair:1")
	create(t, e, project, "web", "--name", "0123456789ab_"+web, "repair:1")
	create(t, e, project, "db", "--name", "0123456789ab_"+db, "repair:1")
	create(t, e, project, "db", "--name", "notahexname1_"+db, "repair:1")
	foreign := create(t, e, other, "web", "--name", "0123456789ab_"+other, "repair:1")
	t.Cleanup(func() { docker(t, e, "rm", "-f", foreign) })

	done, err := c.Repair(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	if len(done) != 2 {
		t.Errorf("reported %q", done)
	}
	got := strings.Fields(docker(t, e, "ps", "-a", "--format", "{{.Names}}", "--filter", "name="+project))
	want := []string{web, db, "notahexname1_" + db, "0123456789ab_" + other}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
		t.Errorf("containers after the repair (-want +got):\n%s", diff)
	}
	if again, err := c.Repair(t.Context(), project); err != nil || len(again) != 0 {
		t.Errorf("a second repair did %q, %v", again, err)
	}
}

func TestImages(t *testing.T) {
	e := shared.Start(t)
	c := dial(t, engine.Config{Host: e.Host()})
	one, two := e.Image(t, "images:1", "one"), e.Image(t, "images:2", "two")
	project := "imagesproject"

	kept, err := c.Keep(t.Context(), project, 7, []health.Observation{
		{Service: "web", Image: one, Number: 1},
		{Service: "web", Image: one, Number: 2},
		{Service: "Db.x", Image: two},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 2 || kept[0].ID != one || kept[1].Service != "Db.x" {
		t.Fatalf("kept %+v", kept)
	}
	if _, err := c.Keep(t.Context(), project, 8, []health.Observation{{Service: "web", Image: two}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Keep(t.Context(), project+"-2", 7, []health.Observation{{Service: "web", Image: one}}); err != nil {
		t.Fatal(err)
	}

	t.Run("a kept image outlives its name", func(t *testing.T) {
		if err := c.Untag(t.Context(), "images:1"); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Resolve(t.Context(), kept[0].Tag); got != one || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, one)
		}
	})
	t.Run("a name without an image is no error", func(t *testing.T) {
		if got, err := c.Resolve(t.Context(), "images:1"); got != "" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("forgetting spares the deployments that are kept, and other projects", func(t *testing.T) {
		gone, err := c.Forget(t.Context(), project, []int64{8})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{kept[1].Tag, kept[0].Tag}, gone); diff != "" {
			t.Errorf("gone (-want +got):\n%s", diff)
		}
		left, err := c.Images(t.Context(), "localhost/seadog:"+project)
		if err != nil {
			t.Fatal(err)
		}
		want := []engine.Tagged{
			{Ref: "localhost/seadog:imagesproject-2.7.web", ID: one},
			{Ref: "localhost/seadog:imagesproject.8.web", ID: two},
		}
		if diff := cmp.Diff(want, left); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
	})
	t.Run("an image that a container uses stays, and is no error", func(t *testing.T) {
		id := create(t, e, project, "web", "localhost/seadog:imagesproject-2.7.web")
		t.Cleanup(func() { docker(t, e, "rm", "-f", id) })
		gone, err := c.Forget(t.Context(), project+"-2", nil)
		if err != nil || len(gone) != 0 {
			t.Errorf("gone %q, %v", gone, err)
		}
	})
}
