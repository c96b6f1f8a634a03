package e2e_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestTheDemoEndsWell(t *testing.T) {
	needEngine(t)
	out, err := exec.Command(binary, "demo").CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "\ndemo: ok\n") {
		t.Errorf("demo: %v\n%s", err, out)
	}
}
