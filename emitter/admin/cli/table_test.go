package cli

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func TestTextIsWrappedBetweenWordsWherePossible(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		if got := wrap(text, 10); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	f("", "")
	f("short", "short")
	f("ten letter", "ten letter")
	f("more than ten letters", "more than", "ten", "letters")
	f("abcdefghijklmnopqrstuvwxyz", "abcdefghij", "klmnopqrst", "uvwxyz")
	f("a abcdefghijklm b", "a", "abcdefghij", "klm b")
	f("äöü äöü äöü", "äöü äöü", "äöü")
}

func TestAnAgeIsShownInItsLargestUnit(t *testing.T) {
	now := time.Now()
	f := func(ago time.Duration, want string) {
		t.Helper()
		at := now.Add(-ago)
		if got := age(&at, now); got != want {
			t.Errorf("%v: %q, want %q", ago, got, want)
		}
	}
	f(-time.Minute, "0s")
	f(59*time.Second, "59s")
	f(60*time.Second, "1m")
	f(119*time.Minute, "1h")
	f(47*time.Hour, "47h")
	f(49*time.Hour, "2d")
	if got := age(nil, now); got != "" {
		t.Errorf("got %q for no time", got)
	}
}
