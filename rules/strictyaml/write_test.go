package strictyaml

import "testing"

func TestWrittenTextIsReadAsTheSameText(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		quoted := WriteText(text)
		if quoted != want {
			t.Errorf("%q is written %s, want %s", text, quoted, want)
		}
		var read struct {
			Key string `yaml:"key"`
		}
		if err := Decode("test.yaml", []byte("key: "+quoted+"\n"), &read).Err(); err != nil || read.Key != text {
			t.Errorf("%s is read as %q, want %q (%v)", quoted, read.Key, text, err)
		}
	}
	f("https://crm.example.org/hooks?a=b", "https://crm.example.org/hooks?a=b")
	f("/var/lib/sidehook", "/var/lib/sidehook")
	f("./state", "./state")
	f("true", `"true"`)
	f("12", `"12"`)
	f("a # b", `"a # b"`)
	f("a: b", `"a: b"`)
	f("http://a/?x[]=<&>\"", `"http://a/?x[]=<&>\""`)
	f("ends:", `"ends:"`)
	f("é\n", `"é\n"`)
	f("", `""`)
}
