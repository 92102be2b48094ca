package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestExecuteReturnsTheExitCodeOfAnError(t *testing.T) {
	f := func(line string, failure error, wantCode int, wantErr string) {
		t.Helper()
		root := &cobra.Command{Use: "sidehook", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return nil }}
		root.AddCommand(&cobra.Command{Use: "work", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return failure }})
		var out, errs bytes.Buffer
		code := Execute(t.Context(), root, strings.Fields(line), Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		if code != wantCode || errs.String() != wantErr || out.Len() > 0 {
			t.Errorf("%q: exit code %d, %q and %q, want %d and %q", line, code, out.String(), errs.String(), wantCode, wantErr)
		}
	}
	f("", nil, 0, "")
	f("work", nil, 0, "")
	f("work", errors.New("it failed\nfor this reason"), 1, "it failed\nfor this reason\n")
	f("work", errNothingStored, 3, "nothing is stored about this participant\n")
	f("work", errors.New("\x1b[2J\u202e"), 1, `\u001b[2J\u202e`+"\n")
	f("work more", nil, 2, "unknown command \"more\" for \"sidehook work\"\nRun 'sidehook work --help' for usage.\n")
	f("wrk", nil, 2, "unknown command \"wrk\" for \"sidehook\"; did you mean work?\nRun 'sidehook --help' for usage.\n")
	f("work --nonsense", nil, 2, "unknown flag: --nonsense\nRun 'sidehook work --help' for usage.\n")
}
