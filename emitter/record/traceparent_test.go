package record

import (
	"strings"
	"testing"
)

func TestOnlyAValidTraceparentIsForwarded(t *testing.T) {
	const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	f := func(name, text, want string) {
		t.Helper()
		if got := validTraceparent(text); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("valid", valid, valid)
	f("flags of the future", valid[:53]+"ff", valid[:53]+"ff")
	f("none", "", "")
	f("another version", "01"+valid[2:], "")
	f("the forbidden version", "ff"+valid[2:], "")
	f("longer", valid+"-what-the-future-will-be-like", "")
	f("shorter", valid[:54], "")
	f("much longer", strings.Repeat("a", 64<<10), "")
	f("upper case", strings.ToUpper(valid), "")
	f("trace id of zeros", "00-"+strings.Repeat("0", 32)+valid[35:], "")
	f("parent id of zeros", valid[:36]+strings.Repeat("0", 16)+valid[52:], "")
	f("no hex in the trace id", strings.Replace(valid, "0af7", "0ag7", 1), "")
	f("no hex within the parent id", strings.Replace(valid, "b7ad", "b\r\nd", 1), "")
	f("no hex in the flags", valid[:53]+"0x", "")
	f("other separators", strings.ReplaceAll(valid, "-", "_"), "")
	f("a separator too early", valid[:34]+"-"+valid[35:], "")
	f("text beside it", " "+valid[:54], "")
}
