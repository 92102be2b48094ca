package rules

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheErrorOfAProfileListsAllProblems(t *testing.T) {
	source, err := os.ReadFile("testdata/profile/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParseProfile("bad.yaml", source)
	if err == nil {
		t.Fatal("a bad profile is accepted")
	}
	golden := "testdata/profile/bad.err"
	if *update {
		if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, readErr := os.ReadFile(golden)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), err.Error()); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestAMissingProfileIsAnError(t *testing.T) {
	_, err := LoadProfile("decsyss")
	if err == nil || !strings.Contains(err.Error(), `"decsyss": it is neither built in`) {
		t.Errorf("got %v, want an error that names the profile", err)
	}
}
