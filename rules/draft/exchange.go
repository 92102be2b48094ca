package draft

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/trial"
)

// maxDepth bounds how deep values are looked for in a body.
const maxDepth = 12

// controls reads the controls of the forms of HTML pages.
var controls = bodies.CompilePage(bodies.PageFields{
	Values: map[string]string{"has_form": "form"}, Fields: bodies.ControlFields{In: "form"},
}, nil)

// exchange is one that may matter, with its bodies as JSON.
type exchange struct {
	trial.Recorded
	words             []string // the segments of the path
	request, response gjson.Result
}

// leaf is a value in a body, and its gjson path.
type leaf struct {
	path  string
	value gjson.Result
}

// readExchanges leaves out other hosts, failures, and what is only displayed.
func readExchanges(recorded []trial.Recorded) (list []*exchange) {
	host := commonHost(recorded)
	for _, one := range recorded {
		x := one.Exchange
		if x.Host != host || x.Status < http.StatusOK || x.Status >= http.StatusBadRequest {
			continue
		}
		path, _, _ := strings.Cut(one.Target, "?")
		e := &exchange{Recorded: one, words: strings.FieldsFunc(path, func(r rune) bool { return r == '/' })}
		for i, word := range e.words {
			if decoded, err := url.PathUnescape(word); err == nil {
				e.words[i] = decoded
			}
		}
		e.request, e.response = parseBody(x.RequestType, x.RequestBody), parseBody(x.ContentType, x.ResponseBody)
		if e.isUnsafe() || e.response.IsObject() || e.location() != "" {
			list = append(list, e)
		}
	}
	return list
}

// commonHost returns the host of most requests that change something.
func commonHost(recorded []trial.Recorded) (host string) {
	times := map[string]int{}
	for _, one := range recorded {
		weight := 1
		if one.Method != http.MethodGet {
			weight = 100
		}
		times[one.Exchange.Host] += weight
		if host == "" || times[one.Exchange.Host] > times[host] {
			host = one.Exchange.Host
		}
	}
	return host
}

func parseBody(contentType string, body []byte) gjson.Result {
	read, err := bodies.Read(contentType, body, controls)
	if err != nil {
		return gjson.Result{}
	}
	return gjson.ParseBytes(read)
}

// isUnsafe reports whether the request changes something (RFC 9110, section 9.2.1).
func (e *exchange) isUnsafe() bool {
	return slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, e.Method)
}

// isForm reports whether the request is a form.
func (e *exchange) isForm() bool {
	kind := bodies.KindOf(e.Exchange.RequestType)
	return kind == bodies.Form || kind == bodies.Multipart
}

// isHTML reports whether the response is a page of HTML.
func (e *exchange) isHTML() bool { return bodies.KindOf(e.Exchange.ContentType) == bodies.HTML }

// location is where the response leads, empty if nowhere.
func (e *exchange) location() string {
	for _, field := range e.Exchange.ResponseHeader {
		if strings.EqualFold(field.Name, "Location") {
			return field.Value
		}
	}
	return ""
}

// leaves returns the values of a body that are in no list, texts of JSON opened.
func leaves(body gjson.Result) (list []leaf) {
	walk("", body, maxDepth, func(path string, value gjson.Result) {
		if !value.IsObject() && !value.IsArray() && !strings.Contains(path, "#") {
			list = append(list, leaf{path, value})
		}
	})
	return list
}

// walk calls visit for each value of a body with its gjson path, in which # is any
// element of a list.
func walk(path string, value gjson.Result, depth int, visit func(path string, value gjson.Result)) {
	if depth == 0 {
		return
	}
	visit(path, value)
	switch {
	case value.IsObject():
		value.ForEach(func(name, member gjson.Result) bool {
			walk(join(path, gjson.Escape(name.String())), member, depth-1, visit)
			return true
		})
	case value.IsArray():
		value.ForEach(func(_, element gjson.Result) bool {
			walk(join(path, "#"), element, depth-1, visit)
			return true
		})
	case strings.HasPrefix(value.Str, "{") && jsonpath.CheckJSON([]byte(value.Str)) == nil:
		walk(path+"|@fromstr", gjson.Parse(value.Str), depth-1, visit)
	}
}

// join returns the path of a member.
func join(path, member string) string {
	switch {
	case path == "":
		return member
	case strings.HasSuffix(path, "|@fromstr"):
		return path + "|" + member
	}
	return path + "." + member
}

// orThis returns the path, or that of the whole value.
func orThis(path string) string {
	if path == "" {
		return "@this"
	}
	return path
}

// lastName returns the last name of a path, as it is in the body.
func lastName(path string) string {
	begin := 0
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '.', '|':
			begin = i + 1
		}
	}
	return strings.ReplaceAll(path[begin:], `\`, "")
}
