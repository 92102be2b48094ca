package outbox

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCursorIsReadAsItWasWritten(t *testing.T) {
	f := func(text string, want cursor) {
		t.Helper()
		got, err := parseCursor(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(cursor{}, section{})); diff != "" {
			t.Errorf("cursor (-want +got):\n%s", diff)
		}
		if text != "" && got.String() != text {
			t.Errorf("its text is %s, want %s", got, text)
		}
	}
	f("", cursor{})
	f("00000001010000000000000007", cursor{section{1, Waiting}, uint64Key(7)})
	f("00000002030000000000000000000000000000000c", cursor{section{2, Dead}, doneKey(2, Dead, fromNanos(0), 12)[5:]})
}

func TestTextThatIsNoCursorIsAnError(t *testing.T) {
	for _, text := range []string{"x", "00", "00000000", "zz00000000"} {
		if _, err := parseCursor(text); !errors.Is(err, ErrCursor) {
			t.Errorf("%q: got %v, want ErrCursor", text, err)
		}
	}
}
