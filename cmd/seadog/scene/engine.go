package scene

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// RemoveProject removes the containers, networks, volumes and images of a
// sample Compose project, and looks that nothing is left.
func RemoveProject(ctx context.Context, project string) error {
	label := "label=com.docker.compose.project=" + project
	containers, err := docker(ctx, "ps", "--all", "--quiet", "--filter", label)
	if err != nil {
		return err
	}
	var errs []error
	remove := func(args []string, names string) {
		if names != "" {
			_, err := docker(ctx, append(args, strings.Fields(names)...)...)
			errs = append(errs, err)
		}
	}
	remove([]string{"rm", "--force", "--volumes"}, containers)
	networks, err := docker(ctx, "network", "ls", "--quiet", "--filter", label)
	errs = append(errs, err)
	remove([]string{"network", "rm"}, networks)
	for _, reference := range []string{project + "-*", "localhost/seadog:" + project + ".*"} {
		images, err := docker(ctx, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference="+reference)
		errs = append(errs, err)
		remove([]string{"image", "rm", "--force"}, images)
	}
	left, err := docker(ctx, "ps", "--all", "--quiet", "--filter", label)
	if left != "" {
		errs = append(errs, fmt.Errorf("containers were left behind: %s", left))
	}
	return errors.Join(append(errs, err)...)
}

func docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, text)
	}
	return text, nil
}
