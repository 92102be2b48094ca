package proxy

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// nobody is an app that cannot be reached.
const nobody = "http://127.0.0.1:1"

func TestParticipantsGetAnErrorPageTheyCanRead(t *testing.T) {
	f := func(custom []byte, fields, want string, without ...string) {
		t.Helper()
		p := newProxy(t, nil, func(c *Config) { c.App, c.DialWindow, c.ErrorPage = nobody, 1, custom })
		serve(t, p)
		client := dial(t, p)
		client.send("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n")
		got, _ := client.readAll()
		if !strings.HasPrefix(got, "HTTP/1.1 503 Service Unavailable\r\n") || !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%q gave %q, want %q", fields, got, want)
		}
		for _, word := range without {
			if strings.Contains(got, word) {
				t.Errorf("%q gave %q, which has %q", fields, got, word)
			}
		}
	}
	const html = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
	f(nil, "", "\r\nContent-Type: text/plain\r\n(.*\r\n)*\r\nThe app can't be reached")
	f(nil, "Accept: */*\r\n", "\r\nContent-Type: text/plain\r\n")
	f(nil, html, `\r\nContent-Type: text/html; charset=utf-8\r\n(.*\r\n)*\r\n<!DOCTYPE html>\n<html lang="en">(.|\n)*503 &middot; [A-Z0-9]{12}<`)
	f(nil, html+"Accept-Language: de-AT,en;q=0.5\r\n", `<html lang="de">(.|\n)*Umfrage`)
	f(nil, html+"Accept-Language: sv, en;q=0.1, fr;q=0.9\r\n", `<html lang="fr">`)
	f(nil, html+"Accept-Language: pt-BR\r\n", `<html lang="pt">`)
	f(nil, html+"Accept-Language: "+strings.Repeat("-", 2000)+"\r\n", `<html lang="en">`)
	f(nil, html+"X-Request-Id: abc-123\r\n", `503 &middot; abc-123<`)
	f(nil, html+"X-Request-Id: a'b&c\r\n", `503 &middot; abc<`)
	f(nil, html+"X-Request-Id: <script>\r\n", `503 &middot; [A-Z0-9]{12}<`, "<script>")
	f([]byte("<p>ours {{status}} {{request_id}} {{status}}</p>"), html+"X-Request-Id: id\r\n", `\r\n\r\n<p>ours 503 id 503</p>$`)
	f([]byte("<p>ours</p>"), "", "can't be reached", "ours")
}

func TestErrorPageToHEADHasNoBody(t *testing.T) {
	p := newProxy(t, nil, func(c *Config) { c.App, c.DialWindow = nobody, 1 })
	serve(t, p)
	client := dial(t, p)
	client.send("HEAD / HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\n\r\n")
	if got, _ := client.readAll(); !strings.HasSuffix(got, "\r\n\r\n") || strings.Contains(got, "Content-Length: 0") {
		t.Errorf("got %q", got)
	}
}

func TestEveryLanguageHasAText(t *testing.T) {
	equal(t, "texts", len(errorTexts), len(errorLanguages))
	for n, text := range errorTexts {
		if text.title == "" || text.text == "" {
			t.Errorf("%v has no text", errorLanguages[n])
		}
		_, page := errorPage(nil, badGateway, "text/html", fmt.Sprint(errorLanguages[n]), "id")
		if !strings.Contains(string(page), text.text) {
			t.Errorf("%v gets %s", errorLanguages[n], page)
		}
	}
}
