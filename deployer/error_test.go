package deployer_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/seadog/seadog/deployer"
)

func TestErrorTellsClientsLessThanLogs(t *testing.T) {
	t.Parallel()
	plain := deployer.Errorf(deployer.CodeNotFound, "there is no project %q", "shop")
	full := plain.WithHint("run %s", "seadog projects").Because(io.ErrUnexpectedEOF)
	_ = plain.Because(io.EOF)
	if plain.Hint != "" || plain.Err != nil {
		t.Errorf("the copies changed the original: %+v", plain)
	}
	if full.Message != `there is no project "shop"` || full.Hint != "run seadog projects" {
		t.Errorf("got %q, %q", full.Message, full.Hint)
	}
	if got, want := full.Error(), `there is no project "shop": unexpected EOF`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := plain.Error(); got != plain.Message {
		t.Errorf("without a cause: %q", got)
	}
	if !errors.Is(full, io.ErrUnexpectedEOF) || errors.Is(plain, io.ErrUnexpectedEOF) {
		t.Error("the cause is not found where it is, or found where it is not")
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	conflict := deployer.Errorf(deployer.CodeConflict, "no")
	for _, test := range []struct {
		err  error
		want deployer.Code
	}{
		{nil, ""},
		{io.EOF, deployer.CodeInternal},
		{conflict, deployer.CodeConflict},
		{fmt.Errorf("cancel: %w", conflict), deployer.CodeConflict},
		{deployer.Errorf(deployer.CodeInvalid, "outer").Because(conflict), deployer.CodeInvalid},
		{errors.Join(io.EOF, conflict), deployer.CodeConflict},
	} {
		if got := deployer.CodeOf(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}
