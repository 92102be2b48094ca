package trial

import "testing"

func TestABodyIsOutlinedByItsFields(t *testing.T) {
	f := func(contentType, body, want string) {
		t.Helper()
		got := "nothing"
		if o := outlineOf(contentType, []byte(body)); o != nil {
			got = o.String()
		}
		if got != want {
			t.Errorf("%s %s: %s, want %s", contentType, body, got, want)
		}
	}
	f("application/json", `{"id":1,"page":{"name":"A","items":[{"id":1},{"type":"x"}]},"tags":["a"],"none":{}}`,
		"JSON with id, page.name, page.items.#.id, page.items.#.type, tags, none")
	f("text/plain", `[{"rt":512},{"rt":611}]`, "JSON with #.rt")
	f("application/json", `{"a.b":1,"jsonData":"{\"q1\":\"Ann\"}"}`, `JSON with a\.b, jsonData|@fromstr|q1`)
	f("application/x-www-form-urlencoded", "q1=a&q2=b&q1=c", "form with q1, q2")
	f("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=q\r\n\r\n1\r\n--b--\r\n", "multipart form with q")
	f("text/html; charset=utf-8", `<form><input name=q1><input type=hidden name=csrf><input type=password name=secret><button name=go></form>`, "HTML with q1, csrf")
	f("text/html", `<p>Thank you.`, "HTML")
	f("application/xml", `<data id="7"><age>31</age></data>`, "XML with data.-id, data.age")
	f("application/json", `{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"10":1,"11":1,"12":1,"13":1,"14":1,"15":1,"16":1,"17":1,"18":1,"19":1,"20":1,"21":1,"22":1}`,
		"JSON with 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 and 2 more")
	f("application/javascript", "var a = 1", "nothing")
	f("application/json", "{}", "nothing")
	f("", "", "nothing")
}
