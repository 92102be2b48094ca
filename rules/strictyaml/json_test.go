package strictyaml

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestYAMLIsTheSameValueAsJSON(t *testing.T) {
	got, err := JSON("f.yaml", []byte("a: &x [1, 1.5, '1', true, 'true', yes, 2026-11-26, .inf]\nb: {c: *x}\nd: ~\ne: !!str 1\n"))
	if err == nil {
		t.Errorf("a tag is taken: %v", got)
	}
	got, err = JSON("f.yaml", []byte("a: &x [1, 1.5, '1', true, 'true', yes, 2026-11-26, .inf]\nb: {c: *x}\nd: ~\n"))
	if err != nil {
		t.Fatal(err)
	}
	const list = `[1, 1.5, "1", true, "true", "yes", "2026-11-26", ".inf"]`
	if diff := cmp.Diff(decodeJSON(t, `{"a": `+list+`, "b": {"c": `+list+`}, "d": null}`), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func decodeJSON(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}
