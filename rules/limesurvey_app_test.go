package rules

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// lastPage is the last page of each survey of a limeApp; 0 is the welcome page.
const lastPage = 3

// limeApp behaves like LimeSurvey 6: pages of HTML with a key each, sessions of cookies
// that it renames, surveys that are saved and loaded. Survey 7 ends with a page, survey
// 8 with a redirect that has the page too, and survey 9 by a quota for the answer "full".
type limeApp struct {
	sessions map[string]map[string]*limeRun // by cookie, by survey
	saved    map[string]limeSave            // by survey and name
	issued   int
}

// limeRun is an attempt at a survey.
type limeRun struct {
	survey, key string
	step        int
	answers     map[string]string
	// hasGoneBack reports whether it has been on an earlier page again.
	hasGoneBack bool
	// isUnseen reports whether an exchange of it was not observed.
	isUnseen bool
	// owner is who began it, or saved what it goes on from.
	owner int
}

type limeSave struct {
	password string
	of       limeRun
	run      *limeRun
}

// limeRequest is a GET without a form, and a POST with one.
type limeRequest struct {
	target, cookie string
	form           url.Values
	from           int // who sends it
}

// limeReply is a response, and what the app did.
type limeReply struct {
	Exchange
	// cookie is what the response sets.
	cookie string
	// shows is the run whose page it has, nil for another page.
	shows *limeRun
	// ended is the run that this has ended, and begun reports whether it began one.
	ended *limeRun
	begun bool
	// loaded is the save that it goes on from.
	loaded *limeSave
}

func newLimeApp() *limeApp {
	return &limeApp{sessions: map[string]map[string]*limeRun{}, saved: map[string]limeSave{}}
}

func (a *limeApp) issue(what string) string {
	a.issued++
	return fmt.Sprint(what, 1000+a.issued)
}

// rename gives a session another cookie.
func (a *limeApp) rename(reply *limeReply, cookie string) string {
	reply.cookie = a.issue("c")
	a.sessions[reply.cookie] = a.sessions[cookie]
	if a.sessions[reply.cookie] == nil {
		a.sessions[reply.cookie] = map[string]*limeRun{}
	}
	delete(a.sessions, cookie)
	return reply.cookie
}

func (a *limeApp) serve(r limeRequest) *limeReply {
	reply := &limeReply{Exchange: Exchange{Status: 200, ContentType: "text/html; charset=utf-8"}}
	survey := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSuffix(r.target, "?newtest=Y"), "/index.php"), "/")
	if sid := last(r.form, "sid"); sid != "" {
		survey = sid
	}
	run := a.sessions[r.cookie][survey]
	switch {
	case strings.Contains(r.target, "admin"):
		reply.Status = 302
		reply.ResponseHeader = []HeaderField{{"Location", "/index.php/admin/login"}}
	case !slices.Contains([]string{"7", "8", "9"}, survey):
		reply.ResponseBody = []byte("<body class=error-page>")
	case r.form == nil:
		a.open(r, survey, run, reply)
	case last(r.form, "loadall") == "reload":
		a.load(r, survey, reply)
	case run == nil:
		reply.ResponseBody = []byte("<body class=error-page>Your session has expired.")
	default:
		a.post(r, run, reply)
	}
	if reply.cookie != "" {
		reply.ResponseHeader = append(reply.ResponseHeader, HeaderField{"Set-Cookie", "LS-ABC=" + reply.cookie + "; path=/; HttpOnly"})
	}
	return reply
}

func (a *limeApp) open(r limeRequest, survey string, run *limeRun, reply *limeReply) {
	if run == nil || strings.HasSuffix(r.target, "newtest=Y") {
		run = &limeRun{survey: survey, answers: map[string]string{}, owner: r.from}
		a.sessions[a.rename(reply, r.cookie)][survey] = run
		reply.begun = true
	}
	a.page(run, reply)
}

func (a *limeApp) load(r limeRequest, survey string, reply *limeReply) {
	cookie := a.rename(reply, r.cookie)
	save, isKnown := a.saved[survey+last(r.form, "loadname")]
	if !isKnown || save.password != last(r.form, "loadpass") {
		reply.ResponseBody = []byte("<form id=limesurvey><input id=loadname name=loadname></form>")
		return
	}
	run := save.of
	run.answers = maps.Clone(save.of.answers)
	run.isUnseen = save.run.isUnseen
	a.sessions[cookie][survey] = &run
	reply.loaded = &save
	a.page(&run, reply)
}

func (a *limeApp) post(r limeRequest, run *limeRun, reply *limeReply) {
	name := run.survey + last(r.form, "savename")
	_, isTaken := a.saved[name]
	switch key := last(r.form, "LEMpostKey"); {
	case key != "" && key != run.key:
		a.page(run, reply)
	case last(r.form, "savesubmit") != "" && (isTaken || last(r.form, "savepass") == ""):
		reply.ResponseBody = []byte(`<form id=limesurvey><input id=savename name=savename><input id=thisstep value="1"></form>`)
	case last(r.form, "savesubmit") != "":
		of := *run
		of.answers = maps.Clone(run.answers)
		a.saved[name] = limeSave{last(r.form, "savepass"), of, run}
		a.page(run, reply)
	default:
		if item := run.item(); r.form.Has(item) {
			run.answers[item] = last(r.form, item)
		}
		a.move(r, run, reply)
	}
}

func (a *limeApp) move(r limeRequest, run *limeRun, reply *limeReply) {
	move := last(r.form, "move")
	isQuota := run.survey == "9" && run.answers[run.item()] == "full"
	switch {
	case isQuota, move == "movesubmit" && run.step == lastPage, move == "movenext" && run.step == lastPage:
		a.end(r, run, reply, isQuota)
		return
	case move == "moveprev":
		run.step, run.hasGoneBack = max(run.step-1, 0), true
	case move == "movenext":
		run.step++
	}
	a.page(run, reply)
}

func (a *limeApp) end(r limeRequest, run *limeRun, reply *limeReply, isQuota bool) {
	delete(a.sessions[r.cookie], run.survey)
	maps.DeleteFunc(a.saved, func(_ string, save limeSave) bool { return save.run == run })
	reply.ended = run
	content := "<p>Thank you.</p>"
	if isQuota {
		content = "<p class=quotamessage>Sorry.</p>"
	}
	reply.ResponseBody = []byte("<form id=limesurvey><div class=completed-wrapper>" + content + "</div></form>")
	if run.survey == "8" {
		reply.Status = 303
		reply.ResponseHeader = append(reply.ResponseHeader, HeaderField{"Location", "https://panel.example.org/back"})
	}
}

// page shows the page of a run, with a new key. It quotes the answer to the page before.
func (a *limeApp) page(run *limeRun, reply *limeReply) {
	run.key = a.issue("k")
	reply.shows = run
	quoted := run.answers[fmt.Sprintf("%sX1X%d", run.survey, run.step-1)]
	question := ""
	if run.step > 0 {
		question = fmt.Sprintf("<div class=question-container><div class=ls-label-question>?</div><input name=%s></div>", run.item())
	}
	reply.ResponseBody = fmt.Appendf(nil, `<form id=limesurvey><input id=thisstep name=thisstep value="%d"><input id=sid name=sid value="%s">`+
		`<input id=LEMpostKey name=LEMpostKey value="%s">%s %s</form>`, run.step, run.survey, run.key, quoted, question)
}

// item is the question of the page that the run is on.
func (r *limeRun) item() string { return fmt.Sprintf("%sX1X%d", r.survey, r.step) }

// last is the value of a field that counts for PHP.
func last(form url.Values, name string) string {
	if values := form[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}
