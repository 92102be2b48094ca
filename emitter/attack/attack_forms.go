package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
)

// mebibyte is the usual inspect_limit: what is longer is passed on unread.
const mebibyte = 1 << 20

// formAttacks play with an app of pages and forms.
func formAttacks() []attack { return slices.Concat(pageAttacks(), postAttacks(), sessionAttacks()) }

// formAttack is an attack that floods the app of forms with n requests.
func formAttack(name string, small, large int, of func(i int) request) attack {
	return attack{name: name, setup: setup{app: newFormApp}, play: func(b *battle) error {
		b.flood(floodConns, b.pick(small, large), of)
		return nil
	}}
}

// pageAttacks have the app send pages that are hard to read. Those of a few small
// requests take much more memory than their pages have bytes.
func pageAttacks() []attack {
	return []attack{
		formAttack("deep-pages", 30, 600, oneOf(
			openForm(noCookie, "200000*<div>"),
			openForm(noCookie, "500*<div>", "500*</div>", "100000*<p>"),
			openForm(noCookie, "60000*<font><p>"),
			openForm(noCookie, "100000*<table><a>"),
			openForm(noCookie, "90000*<select><option>"),
		)),
		// What formats text is opened again in each paragraph.
		formAttack("reopened-tags", 4, 100, oneOf(openForm(noCookie, "1*<p>", "300*<b a=#>", "1*</p>", "3000*<p>x"))),
		formAttack("many-attributes", 30, 400, oneOf(
			openForm(noCookie, "1*<div", "1000000* a", "1*>"),
			openForm(noCookie, "1*<div", "500000* a", "1*>"),
			openForm(noCookie, "1*<div", "120000* a#", "1*>"),
			openForm(noCookie, "1*<body", "120000* a#", "1*>"),
			openForm(noCookie, "1*<div class='", "400000*a ", "1*'>"),
		)),
		// A question's text counts for each of its controls.
		formAttack("repeated-questions", 4, 100, oneOf(
			openForm(noCookie, "1*<div class=question-container><div class=ls-label-question>", "4000*x", "1*</div>", "9000*<input name=1X1X#>"),
		)),
		formAttack("repeated-labels", 6, 100, oneOf(
			openForm(noCookie, "1*<label for=a>", "4000*x", "1*</label>", "9000*<input type=radio name=1X1X1 id=a>"),
			openForm(noCookie, "400*<label for=a#>", "500000*x"),
		)),
	}
}

// postAttacks post what is hard to read.
func postAttacks() []attack {
	return []attack{
		formAttack("xml-bombs", 64, 2000, xmlBomb),
		formAttack("multipart-tricks", 120, 2000, multipartTrick),
		formAttack("many-fields", 40, 1000, func(i int) request {
			return postForm(stranger(i), urlencoded, manyFields[i%len(manyFields)])
		}),
		formAttack("every-field-on-the-page", 60, 600, func(i int) request {
			if i%2 == 0 {
				return openForm(stranger(i/2), "9000*<input name=1X1X#>")
			}
			return postForm(stranger(i/2), urlencoded, everyField)
		}),
	}
}

// sessionAttacks make up what the app gives to participants.
func sessionAttacks() []attack {
	return []attack{
		formAttack("made-up-cookies", 3000, 30_000, func(i int) request { return openForm(stranger(i)) }),
		formAttack("heaps-of-cookies", 300, 3000, func(i int) request { return openForm(heapOfCookies + stranger(i)) }),
		formAttack("made-up-keys", 2000, 30_000, func(i int) request {
			return postForm(stranger(i%500), urlencoded, fmt.Appendf(nil, "sid=%s&move=movesubmit&%s=x&LEMpostKey=%s", formSurvey, formItem(1), madeUpKeys[i%len(madeUpKeys)]))
		}),
		{name: "many-pages", setup: setup{app: newPersonalFormApp, size: 16}, play: func(b *battle) error {
			b.flood(floodConns, b.pick(300, 6000), func(int) request { return openForm(noCookie, "1*"+pageOfItsOwn()) })
			return nil
		}},
	}
}

// madeUpKeys are keys that the app has not given to anybody, or not like this.
var madeUpKeys = []string{"", "1", strings.Repeat("9", 500), strings.Repeat("9", 5000), "1&LEMpostKey=2"}

// heapOfCookies are as many cookies as fit into a head, each of which may be the session's.
var heapOfCookies = echo([]string{"4000*LS-#=x; "})

// pageOfItsOwn is a question whose text nobody else is asked, and which does not become
// smaller when it is compressed.
func pageOfItsOwn() string {
	var text strings.Builder
	for text.Len() < 30_000 {
		text.WriteString(rand.Text())
	}
	return "<div class=question-container><div class=ls-label-question>" + text.String() + "</div><input name=1X1X1></div>"
}

// stranger is a cookie that the app has not set.
func stranger(i int) string { return fmt.Sprint(formCookie, "=", navigator, i) }

// oneOf takes requests in turn.
func oneOf(requests ...request) func(i int) request {
	return func(i int) request { return requests[i%len(requests)] }
}

// everyField answers 9000 questions.
var everyField = []byte(echo([]string{"9000*1X1X#=x&"}))

// manyFields are forms with more fields than anybody fills in.
var manyFields = [][]byte{
	bytes.Repeat([]byte("a=1&"), 100_000),
	[]byte(echo([]string{"100000*#=&"})),
	bytes.Repeat([]byte("&"), mebibyte),
	bytes.Repeat([]byte{0}, mebibyte),
	[]byte(strings.Repeat("%", mebibyte)),
}

// xmlTypes are those of XML, of what is not quite XML, and of none.
var xmlTypes = []string{
	"text/xml", "application/xml; charset=utf-16", "image/svg+xml", "application/xhtml+xml", "TEXT/XML;;;", "+xml", "text/html", "multipart/xml",
}

var xmlBombs = []string{
	`<!DOCTYPE a [<!ENTITY e0 "ha">` + echo([]string{"30*<!ENTITY f# \"&e0;&e0;&e0;&e0;&e0;&e0;\">"}) + `]><a>&f29;&f29;</a>`,
	`<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>`,
	strings.Repeat("<a>", 300_000),
	strings.Repeat("<a b=''>", 58) + strings.Repeat("\t", mebibyte-1000) + "x" + strings.Repeat("</a>", 58),
	"<a>" + strings.Repeat("<b/>", 200_000) + "</a>",
	"<a" + echo([]string{"90000* a#=''"}) + "/>",
	"<!--" + strings.Repeat("-", mebibyte-10) + "-->",
	"<![CDATA[" + strings.Repeat("]", mebibyte-10),
}

// xmlBomb posts each bomb with each type.
func xmlBomb(i int) request {
	n := len(xmlBombs)
	return postForm(stranger(i), xmlTypes[i/n%len(xmlTypes)], []byte(xmlBombs[i%n]))
}

// part begins a part whose boundary is b.
const part = "--b\r\nContent-Disposition: form-data; name=x\r\n\r\n"

// multiparts are types and bodies.
var multiparts = [][2]string{
	{"multipart/form-data; boundary=b", strings.Repeat(part, 20_000) + "--b--"},
	{"multipart/form-data; boundary=b", part + strings.Repeat("\r\n--", 200_000) + "--b--"},
	{"multipart/form-data; boundary=b", part + strings.Repeat("\r\n--b", 200_000)},
	{"multipart/form-data; boundary=b", "--b\r\n" + strings.Repeat("A: b\r\n", 150_000) + "\r\n\r\n--b--"},
	{"multipart/form-data; boundary=b", "--b\r\nA: " + strings.Repeat("x", mebibyte/2) + "\r\n\r\n\r\n--b--"},
	{"multipart/form-data; boundary=b", file("application/json", strings.Repeat("[", 900_000))},
	{"multipart/form-data; boundary=b", file("text/xml", strings.Repeat("<a>", 300_000))},
	{"multipart/form-data; boundary=b; boundary=c", part + "x\r\n--b--"},
	{"multipart/form-data; boundary=" + strings.Repeat("-", 70), strings.Repeat("-", mebibyte)},
	{"multipart/form-data; boundary=" + strings.Repeat("b", 30_000), strings.Repeat("b", mebibyte)},
	{`multipart/form-data; boundary="\"\r\n"`, part + "--b--"},
	{"multipart/form-data", strings.Repeat("--", mebibyte/2)},
}

// file is a form with a file.
func file(mediaType, content string) string {
	return "--b\r\nContent-Disposition: form-data; name=x; filename=x\r\nContent-Type: " + mediaType + "\r\n\r\n" + content + "\r\n--b--"
}

func multipartTrick(i int) request {
	one := multiparts[i%len(multiparts)]
	return postForm(stranger(i), one[0], []byte(one[1]))
}
