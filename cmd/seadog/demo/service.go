package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
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
	log, err := os.Create(filepath.Join(d.dir, s.args[0]+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(d.Executable, s.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ^C reaches the demo, which stops the service in order
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()

	if err := ready(ctx, s.url+s.ready, exited); err != nil {
		return errors.Join(err, d.stop(cmd, exited), d.lastLines(log.Name()))
	}
	d.say("ready at %s (pid %d)", s.url, cmd.Process.Pid)
	if err := story(ctx); err != nil {
		return errors.Join(err, d.stop(cmd, exited), d.lastLines(log.Name()))
	}
	d.title("stop")
	return d.stop(cmd, exited)
}

// ready waits until a server answers there.
func ready(ctx context.Context, url string, exited chan error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if _, err := get(ctx, url); err == nil {
			return nil
		}
		select {
		case err := <-exited:
			exited <- err
			return fmt.Errorf("the service ended before it was ready: %w", err)
		case <-ctx.Done():
			return errors.New("the service was not ready within 30s")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop asks the service to end, and makes sure that it does.
func (d *demo) stop(cmd *exec.Cmd, exited chan error) error {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-exited:
		if err != nil {
			return fmt.Errorf("the service did not stop cleanly: %w", err)
		}
		d.say("the service stopped")
		return nil
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-exited
		return errors.New("the service had to be killed")
	}
}

// lastLines returns the end of the service's log as an error to be shown, nil if there is none.
func (d *demo) lastLines(path string) error {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("the service's last lines:\n%s", strings.Join(lines[max(0, len(lines)-20):], "\n"))
}

// cleanUp removes the containers, networks, volumes and images of the sample
// project and every file of the demo, and looks that nothing is left.
func (d *demo) cleanUp(ctx context.Context) error {
	label := "label=com.docker.compose.project=" + d.project
	containers, err := d.docker(ctx, "ps", "--all", "--quiet", "--filter", label)
	if err != nil {
		return err
	}
	var errs []error
	remove := func(args []string, names string) {
		if names != "" {
			_, err := d.docker(ctx, append(args, strings.Fields(names)...)...)
			errs = append(errs, err)
		}
	}
	remove([]string{"rm", "--force", "--volumes"}, containers)
	networks, err := d.docker(ctx, "network", "ls", "--quiet", "--filter", label)
	errs = append(errs, err)
	remove([]string{"network", "rm"}, networks)
	for _, reference := range []string{d.project + "-*", "localhost/seadog:" + d.project + ".*"} {
		images, err := d.docker(ctx, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference="+reference)
		errs = append(errs, err)
		remove([]string{"image", "rm", "--force"}, images)
	}
	errs = append(errs, os.RemoveAll(d.dir))
	left, err := d.docker(ctx, "ps", "--all", "--quiet", "--filter", label)
	if left != "" {
		errs = append(errs, fmt.Errorf("containers were left behind: %s", left))
	}
	return errors.Join(append(errs, err)...)
}

func (d *demo) docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, text)
	}
	return text, nil
}
