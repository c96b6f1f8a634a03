package demo

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/seadog/seadog/cmd/seadog/scene"
)

// server is a command of ours that serves at an address.
type server struct {
	args  []string
	url   string
	ready string // path that answers as soon as it does
}

// serve runs a server around story and stops it in order.
func (d *demo) serve(ctx context.Context, s server, story func(context.Context) error) error {
	d.title("seadog %s", s.args[0])
	child, err := scene.Start(ctx, scene.Command{
		Path: d.Executable, Args: s.args, Log: filepath.Join(d.dir, s.args[0]+".log"), Ready: s.url + s.ready,
	})
	if err != nil {
		return err
	}
	d.say("ready at %s (pid %d)", s.url, child.PID())
	if err := story(ctx); err != nil {
		return errors.Join(err, child.Stop(patience), child.LastLines())
	}
	d.title("stop")
	if err := child.Stop(patience); err != nil {
		return err
	}
	d.say("the service stopped")
	return nil
}

// cleanUp removes what the sample project left in the engine, and every file of the demo.
func (d *demo) cleanUp(ctx context.Context) error {
	return errors.Join(scene.RemoveProject(ctx, d.project), os.RemoveAll(d.dir))
}
