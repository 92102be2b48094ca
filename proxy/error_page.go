package proxy

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// What an error page of one's own may contain.
const (
	statusPlaceholder  = "{{status}}"
	requestPlaceholder = "{{request_id}}"
)

// requestIDField is the name of the field with the id of a request.
const requestIDField = "X-Request-Id"

// maxRequestID is the length of the longest X-Request-Id that is shown, in bytes.
const maxRequestID = 64

// errorText is what the default page says in one language.
type errorText struct{ title, text string }

// errorLanguages are the languages of the default page. The first is for
// everybody else.
var errorLanguages = []language.Tag{
	language.English, language.German, language.Spanish, language.French, language.Italian, language.Dutch, language.Portuguese,
}

// errorTexts are in the order of errorLanguages.
var errorTexts = []errorText{
	{"This page can't be shown right now", "The survey can't be reached at the moment. Please wait a little and load the page again."},
	{"Diese Seite kann gerade nicht angezeigt werden", "Die Umfrage ist im Moment nicht erreichbar. Bitte warten Sie einen Augenblick und laden Sie die Seite noch einmal."},
	{"Esta página no se puede mostrar en este momento", "La encuesta no está disponible en este momento. Espere un poco y vuelva a cargar la página."},
	{"Cette page ne peut pas être affichée pour le moment", "L'enquête est momentanément inaccessible. Veuillez patienter un peu, puis recharger la page."},
	{"Questa pagina al momento non può essere visualizzata", "Il sondaggio al momento non è raggiungibile. Attenda un momento e ricarichi la pagina."},
	{"Deze pagina kan op dit moment niet worden getoond", "De enquête is op dit moment niet bereikbaar. Wacht even en laad de pagina opnieuw."},
	{"Esta página não pode ser apresentada neste momento", "O inquérito não está disponível neste momento. Aguarde um pouco e volte a carregar a página."},
}

var errorMatcher = language.NewMatcher(errorLanguages)

// defaultPage has the language, twice the title, the text, the status and the
// request's id.
const defaultPage = `<!DOCTYPE html>
<html lang="%s">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>:root{color-scheme:light dark}body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto 0;padding:0 1.5rem}h1{font-size:1.5rem}small{opacity:.7}</style>
<h1>%s</h1>
<p>%s</p>
<p><small>%d &middot; %s</small></p>
</html>
`

// errorPage writes the body of a response of the proxy's own. Participants whose
// browser asks for HTML get a page, custom where that is not nil; others get the text.
func errorPage(custom []byte, own ownResponse, accept, languages, id string) (contentType string, body []byte) {
	wantsHTML := own.status >= 500 && strings.Contains(strings.ToLower(accept), "text/html")
	switch {
	case !wantsHTML:
		return "text/plain", []byte(own.text)
	case custom != nil:
		page := bytes.ReplaceAll(custom, []byte(statusPlaceholder), []byte(strconv.Itoa(own.status)))
		return "text/html; charset=utf-8", bytes.ReplaceAll(page, []byte(requestPlaceholder), []byte(id))
	}
	asked, _, _ := language.ParseAcceptLanguage(languages) // what is malformed asks for nothing
	_, n, _ := errorMatcher.Match(asked...)
	text := errorTexts[n]
	return "text/html; charset=utf-8", fmt.Appendf(nil, defaultPage, errorLanguages[n], text.title, text.title, text.text, own.status, id)
}

// requestID returns the id that a proxy in front has given the request in
// X-Request-Id, or else one of our own.
func requestID(given []byte) string {
	if len(given) <= maxRequestID && isToken(given) {
		return strings.NewReplacer("&", "", "'", "").Replace(string(given)) // it is part of HTML
	}
	return rand.Text()[:12]
}
