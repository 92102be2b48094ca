package console

import (
	"context"
	"net/http"

	"github.com/sidehook/sidehook/emitter/admin"
)

const (
	cookieName = "sidehook_session"
	// home is the path of the overview, below which all pages are. The cookie is for
	// these alone: browsers send it to other ports of the host, too, where the app is.
	home = "/console"
	// maxForm is the longest form, in bytes, but for HAR files.
	maxForm = 64 << 10
)

type sessionKey struct{}

// sessionOf returns the id of the request's session, empty for people on this machine.
func sessionOf(r *http.Request) string {
	id, _ := r.Context().Value(sessionKey{}).(string)
	return id
}

// admitted serves people on this machine and those who have logged in, and shows the
// login to all others.
func (c *Console) admitted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !admin.IsOwnPage(r) {
			c.refuse(w, r, http.StatusForbidden, "Another page sent you here, which could do so unnoticed.")
			return
		}
		if cookie, err := r.Cookie(cookieName); err == nil && c.sessions.isValid(cookie.Value) {
			r = admin.Admit(r, func() bool { return c.sessions.isValid(cookie.Value) })
			next(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, cookie.Value)))
			return
		}
		if c.access.IsLocal(r) {
			next(w, admin.Admit(r, func() bool { return true }))
			return
		}
		c.showLogin(w, r, http.StatusUnauthorized, "")
	}
}

// changing serves a form that has the token of a page of its session.
func (c *Console) changing(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			c.refuse(w, r, http.StatusBadRequest, "The form could not be read.")
			return
		}
		if !c.sessions.isPageToken(sessionOf(r), r.PostForm.Get("token")) {
			c.refuseToken(w, r)
			return
		}
		next(w, r)
	}
}

func (c *Console) refuseToken(w http.ResponseWriter, r *http.Request) {
	c.refuse(w, r, http.StatusForbidden, "The page that sent this is out of date, since sidehook has restarted or you have logged in again. Nothing was changed.")
}

// loginData is the content of the login page.
type loginData struct {
	// IsPossible is false where no admin_token is configured.
	IsPossible bool
	Problem    string
}

func (c *Console) showLogin(w http.ResponseWriter, r *http.Request, status int, problem string) {
	c.render(w, r, status, "login", "Log in", func(*page) string {
		return loginPage(loginData{IsPossible: c.access.HasToken(), Problem: problem})
	})
}

// login begins a session for whoever enters the admin_token.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	if !admin.IsOwnPage(r) {
		c.refuse(w, r, http.StatusForbidden, "Another page sent this form.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	id, ok := c.sessions.begin(r.PostFormValue("admin_token"))
	if !ok {
		c.access.NoteWrongToken(r)
		c.showLogin(w, r, http.StatusUnauthorized, "That is not the admin_token of this sidehook.")
		return
	}
	setCookie(w, id, int(sessionTime.Seconds()))
	http.Redirect(w, r, home, http.StatusSeeOther)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	c.sessions.end(sessionOf(r))
	setCookie(w, "", -1)
	http.Redirect(w, r, home, http.StatusSeeOther)
}

// setCookie sets the cookie of a session. It is not Secure: the listener is plain
// HTTP, and TLS in front of it is the operator's.
func setCookie(w http.ResponseWriter, id string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: home, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}
