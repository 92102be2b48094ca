package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
)

// urlencoded is the type of forms without files.
const urlencoded = "application/x-www-form-urlencoded"

// takeSurvey is how a browser goes through the pages. The participant's id is the
// session's cookie, which is not to be in logs either.
func (*formApp) takeSurvey(w *walker) {
	shown, ok := w.request(openForm(noCookie))
	if !ok {
		return
	}
	cookie := shown.cookie
	_, id, _ := strings.Cut(cookie, "=")
	w.begin(id)
	for page := range formPages {
		key := keyIn(shown.body)
		if key == "" {
			w.fail(fmt.Errorf("page %d has no key", page+1))
			return
		}
		form := url.Values{"thisstep": {fmt.Sprint(page + 1)}, "sid": {formSurvey}, "LEMpostKey": {key}, "move": {formMove(page)}}
		form.Set(formItem(page+1), answerMarker+id)
		if shown, ok = w.request(postForm(cookie, urlencoded, []byte(form.Encode()))); !ok {
			return
		}
		w.left(page)
	}
	if !bytes.Contains(shown.body, []byte("completed-wrapper")) {
		w.fail(errors.New("the last page does not lead to the end"))
	}
}

// formMove is the button that leaves a page, from 0.
func formMove(page int) string {
	if page == formPages-1 {
		return "movesubmit"
	}
	return "movenext"
}

// openForm requests the survey, with copies in its page: a text such as 9*<b> is
// repeated as often as its number says, and a # in it is the number of the copy.
func openForm(cookie string, copies ...string) request {
	r := request{method: http.MethodGet, path: formPath + "?" + url.Values{"echo": copies}.Encode()}
	if cookie != noCookie {
		r.headers = []string{"Cookie", cookie}
	}
	return r
}

// postForm sends a form, whatever its type.
func postForm(cookie, contentType string, body []byte) request {
	return request{method: http.MethodPost, path: formPath, body: body, headers: []string{"Cookie", cookie, "Content-Type", contentType}}
}

// keyIn returns the key of a page, empty without one.
func keyIn(page []byte) string {
	_, after, _ := bytes.Cut(page, []byte(`name="LEMpostKey" value="`))
	key, _, _ := bytes.Cut(after, []byte{'"'})
	return string(key)
}

// whose reads the first answer, because of a cookie webhooks have only a digest. An
// event that lacks all answers counts as missing, therefore.
func (*formApp) whose(webhook []byte) string {
	id, _ := strings.CutPrefix(gjson.GetBytes(webhook, "data.responses.0.response").String(), answerMarker)
	return id
}
