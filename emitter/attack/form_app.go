package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const (
	// formSurvey is the id of the survey, formPages the number of its pages.
	formSurvey = "417301"
	formPages  = 4
	formPath   = "/index.php/" + formSurvey
	// noCookie is what a participant has who comes for the first time.
	noCookie = ""
	// formCookie is the name of the session's cookie.
	formCookie = "LS-ATTACKEDATTACKED"
	// largestForm is as much of a form as the app reads, in bytes.
	largestForm = 8 << 20
)

// formApp is LimeSurvey as far as a survey is taken in it: each page is the response
// to the form of the page before. Whatever is wrong with a form, it responds with the
// page that the session is on.
type formApp struct {
	// isPersonal is set where questions quote what a participant said, so that nobody
	// else has the same.
	isPersonal bool

	mu       sync.Mutex
	sessions map[string]*formSession // by cookie
}

// formSession is where a participant is.
type formSession struct {
	page int // from 1; one more than formPages at the end
	// key is expected of the next form.
	key string
	// quote is in the questions.
	quote string
}

func newFormApp() app { return &formApp{sessions: map[string]*formSession{}} }

func newPersonalFormApp() app {
	return &formApp{isPersonal: true, sessions: map[string]*formSession{}}
}

func (*formApp) profile() string { return "limesurvey" }

func (*formApp) pages() int { return formPages }

func (a *formApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := r.Body
	r.Body = http.MaxBytesReader(w, body, largestForm)
	_ = r.ParseMultipartForm(largestForm) // what cannot be read has no key
	_, _ = io.Copy(io.Discard, body)      // as PHP does, which keeps the connection
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, a.respond(w.Header(), r, echo(r.URL.Query()["echo"])))
}

// respond returns the page that a session is on after the request, with echo in it.
// Whoever brings no cookie of the app begins a session.
func (a *formApp) respond(header http.Header, r *http.Request, echo string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	cookie, _ := r.Cookie(formCookie)
	if cookie == nil || a.sessions[cookie.Value] == nil {
		cookie = &http.Cookie{Name: formCookie, Value: rand.Text(), Path: "/", HttpOnly: true}
		header.Add("Set-Cookie", cookie.String())
		a.sessions[cookie.Value] = &formSession{page: 1}
		if a.isPersonal {
			a.sessions[cookie.Value].quote = rand.Text()
		}
	}
	session := a.sessions[cookie.Value]
	if session.key != "" && r.PostForm.Get("LEMpostKey") == session.key {
		session.page++
	}
	if session.page > formPages {
		delete(a.sessions, cookie.Value)
		return formEnd
	}
	session.key = rand.Text()
	return session.show(echo)
}

const formEnd = `<!DOCTYPE html><html><body><form id="limesurvey"><div class="completed-wrapper">Thank you</div></form></body></html>`

// show returns the page, with echo in it.
func (s *formSession) show(echo string) string {
	return fmt.Sprintf(`<!DOCTYPE html><html><body><form id="limesurvey" action="`+formPath+`" method="post">
<input type="hidden" id="thisstep" name="thisstep" value="%[1]d"><input type="hidden" id="sid" name="sid" value="`+formSurvey+`">
<input type="hidden" id="LEMpostKey" name="LEMpostKey" value="%[2]s">
<div class="group-container"><div class="group-title">Page %[1]d</div>
<div class="question-container"><div class="ls-label-question">What is on page %[1]d? %[5]s</div><input type="text" name="%[3]s"></div></div>
%[4]s</form></body></html>`, s.page, s.key, formItem(s.page), echo, s.quote)
}

// formItem is the name of the control on a page, from 1.
func formItem(page int) string { return fmt.Sprint(formSurvey, "X", page, "X1") }

// echo makes copies. It stands for whatever in a survey brings the words of strangers
// into its pages, such as questions that quote earlier answers.
func echo(copies []string) string {
	var b strings.Builder
	for _, one := range copies {
		times, text, _ := strings.Cut(one, "*")
		n, _ := strconv.Atoi(times)
		for i := range n {
			before, after, isNumbered := strings.Cut(text, "#")
			b.WriteString(before)
			if isNumbered {
				b.WriteString(strconv.Itoa(i))
				b.WriteString(after)
			}
		}
	}
	return b.String()
}
