package rules

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/profiles"
)

// The patterns are for JavaScript with its flag u too, as editors have it: no
// look-behind, and no escape but of what has a meaning. Where they can't be exact
// they let pass, for an editor must not complain of a file that is right, but for
// an empty text where a key could be left out.
const (
	namePattern     = `^[A-Za-z0-9_.-]{1,64}$`
	numberPattern   = `([0-9]+(\.[0-9]*)?|\.[0-9]+)`
	durationPattern = `^([0-9]+d)?\+?(` + numberPattern + `(ns|us|µs|μs|ms|s|m|h))+$|^([0-9]+d)?\+?0$|^[0-9]+d$`
	ratePattern     = `^([0-9]*[1-9][0-9]*(\.[0-9]*)?|[0-9]*\.[0-9]*[1-9][0-9]*)/[smh]$`
	networkPattern  = `^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$`
	hostPattern     = `(\[[^/?#@\[\] ]+\]|[^/?#@:\[\] ]+)(:(0*[1-9][0-9]{0,4})?)?`
	urlPattern      = `^https?://([^/?#]*@)?` + hostPattern + `([/?][^#]*)?#?$`
	proxyPattern    = `^(https?|socks5h?)://[^/?#]+/?\??#?$`
	appPattern      = `^(https?://` + hostPattern + `/*|unix:/.*)$`
	listenPattern   = `^([^/@ :\[\]]*|\[[^/@ \[\]]*\]):[0-9]+$`
	// A step of an answer's path is *, a plain name, or one that holds an escape.
	stepPattern       = `(\*|[^.\\#|@*?()\[\]{}"!]+|([^.\\]|\\.)*\\.([^.\\]|\\.)*)`
	answerPathPattern = `^` + stepPattern + `(\.` + stepPattern + `)*$`
	sourcePattern     = `^(request|response):.+`
	routePattern      = `^[^a-z ]+ (/([^/{} ]+|\{[^{}/]+\}))+$`
	releaseForm       = `^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`
	statusPattern     = `^[2-5][0-9]{2}( [^/ ]+/.+)?$`
	secretPattern     = `^(env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:.+)$`
)

// textSchema is of a plain text, for which YAML has anything that is no list or mapping.
var textSchema = schema{"type": []string{"string", "number", "boolean"}}

// scalarSchemas are those of what is one value in YAML.
var scalarSchemas = map[reflect.Type]schema{
	reflect.TypeFor[string]():       textSchema,
	reflect.TypeFor[bool]():         {"type": "boolean"},
	reflect.TypeFor[int]():          {"type": "integer"},
	reflect.TypeFor[uint32]():       {"type": "integer"},
	reflect.TypeFor[float64]():      {"type": "number"},
	reflect.TypeFor[Duration]():     {"anyOf": []schema{matches(durationPattern), {"const": 0}}},
	reflect.TypeFor[Size]():         {"type": []string{"string", "integer"}, "pattern": sizePattern(), "minimum": 0},
	reflect.TypeFor[Rate]():         {"anyOf": []schema{{"const": unlimited}, matches(ratePattern)}},
	reflect.TypeFor[Secret]():       matches(secretPattern),
	reflect.TypeFor[URL]():          matches(urlPattern),
	reflect.TypeFor[Proxy]():        {"anyOf": []schema{{"enum": []string{proxyOfEnvironment, noProxy}}, matches(proxyPattern)}},
	reflect.TypeFor[Network]():      matches(networkPattern),
	reflect.TypeFor[AllowedRange](): {"anyOf": []schema{{"enum": addressWords}, matches(networkPattern)}},
	reflect.TypeFor[PageName]():     {"type": textSchema["type"], "minLength": 1, "exclusiveMinimum": 0},
	reflect.TypeFor[Durability]():   {"enum": durabilityWords},
	reflect.TypeFor[Forwarded]():    {"enum": forwardedWords},
	reflect.TypeFor[Format]():       {"enum": formatWords},
	reflect.TypeFor[EventName]():    {"enum": eventWords},
}

// narrowedConfig is what check wants of a configuration besides types.
func narrowedConfig() map[string]schema {
	profiles := []schema{{"enum": profiles.Names()}, matches(`[/\\.]`)}
	narrowed := map[string]schema{
		"": {
			"required": []string{"app", "targets", "rules"},
			"if":       schema{"required": []string{"app_tls"}},
			"then":     schema{"properties": schema{"app": schema{"pattern": "^https:"}}},
		},
		"listen":                     matches(listenPattern),
		"admin":                      matches(listenPattern),
		"app":                        matches(appPattern),
		"app_tls":                    {"dependencies": certAndKey},
		"profile":                    {"anyOf": profiles},
		"state":                      {"minLength": 1},
		"targets":                    {"minProperties": 1},
		"targets.*.secret":           {"minItems": 1},
		"targets.*.tls":              {"dependencies": certAndKey},
		"targets.*.headers":          {"propertyNames": schema{"pattern": namePattern, "not": matches(ownHeaderPattern())}},
		"targets.*.headers.*":        {"maxLength": maxHeader, "pattern": `^[^\x00-\x08\x0a-\x1f\x7f]*$`},
		"targets.*.retry.schedule":   {"maxItems": maxRetries},
		"targets.*.retry.jitter":     {"minimum": 0, "maximum": 1},
		"targets.*.breaker.failures": {"minimum": 1},
		"targets.*.concurrency":      {"minimum": 1, "maximum": maxConcurrency},
		"targets.*.only[].path":      {"not": schema{}},
		"targets.*.redact":           {"anyOf": doesSomething},
		"targets.*.pseudonymise":     {"anyOf": doesSomething, "required": []string{"key"}},
		"rules":                      {"minItems": 1},
		"rules[]":                    {"required": []string{"to"}},
		"rules[].name":               {"pattern": `^[^\[\]]+$`, "minLength": 1, "maxLength": maxRuleName},
		"rules[].surveys[]":          {"pattern": `^[^/\s]+(/[^/\s]+)?$`},
		"rules[].source_positions[]": {"minimum": 1},
		"rules[].when":               {"minLength": 1},
		"rules[].to":                 {"minItems": 1, "uniqueItems": true},
		"rules[].to[]":               {"pattern": namePattern},
		"targets.*": {
			"required": []string{"url", "secret"},
			"if":       schema{"required": []string{"tls"}},
			"then":     schema{"properties": schema{"url": schema{"pattern": "^https:"}}},
		},
	}
	for _, list := range []string{"on", "surveys", "source_pages", "source_positions"} {
		narrowed["rules[]."+list] = schema{"minItems": 1}
	}
	for _, key := range []string{"only", "redact.answers", "pseudonymise.answers"} {
		narrowed["targets.*."+key+"[]"] = schema{"minProperties": 1}
		narrowed["targets.*."+key+"[].type"] = schema{"minLength": 1}
	}
	for _, key := range []string{"redact.answers", "pseudonymise.answers"} {
		narrowed["targets.*."+key] = schema{"minItems": 1}
		narrowed["targets.*."+key+"[].path"] = schema{"pattern": answerPathPattern}
	}
	return narrowed
}

// narrowedProfile is what parseProfile wants of a profile besides types.
func narrowedProfile() map[string]schema {
	narrowed := map[string]schema{
		"":             {"required": []string{"routes", "page", "item"}},
		"friendly_ids": {"type": "string", "enum": slices.Sorted(maps.Keys(friendlyIDs))[1:]},
		"routes":       {"minItems": 1},
		"routes[]": {
			"required": []string{"on", "says"},
			"if":       schema{"properties": schema{"says": schema{"const": AnsweredItem}}},
			"then":     schema{"required": []string{"answer"}},
			"else":     schema{"properties": schema{"answer": false}},
		},
		"routes[].on":     matches(routePattern),
		"routes[].says":   {"type": "string", "enum": slices.Sorted(maps.Keys(pathParams))},
		"routes[].when":   {"pattern": statusPattern, "minimum": 200, "maximum": 599},
		"routes[].ids":    {"propertyNames": schema{"enum": idNames}},
		"routes[].ids.*":  matches(sourcePattern),
		"routes[].answer": matches(sourcePattern),
		"page":            {"required": []string{"at", "id", "number", "items"}},
		"item":            {"required": []string{"id", "type"}},
		"version":         {"required": []string{"get", "oldest"}},
		"version.get":     matches("^/"),
		"version.oldest":  matches(releaseForm),
		"history": {
			"required":     []string{"pages", "pages_at", "event", "types"},
			"anyOf":        []schema{{"required": []string{"events"}}, {"required": []string{"last", "last_of_type"}}},
			"dependencies": schema{"parent": []string{"children"}, "children": []string{"parent"}},
		},
		"history.event": {"required": []string{"type", "source", "at", "answer", "reached"}},
		"history.types": {"required": []string{"page_loaded", "answered", "navigated"}},
	}
	for _, path := range []string{"pages", "events", "last_of_type", "last"} {
		narrowed["history."+path] = matches(`^/([^{]|\{(` + strings.Join(historyParams, "|") + `)\})*$`)
	}
	notEmpty := strings.Fields(`page.at page.id page.number page.items item.id item.type history.pages_at history.event.type
		history.event.source history.event.at history.event.answer history.event.reached
		history.types.page_loaded history.types.answered history.types.navigated`)
	for _, path := range notEmpty {
		narrowed[path] = schema{"minLength": 1}
	}
	return narrowed
}

var (
	certAndKey    = schema{"cert": []string{"key"}, "key": []string{"cert"}}
	doesSomething = []schema{
		{"required": []string{"answers"}},
		{"required": []string{"participant"}, "properties": schema{"participant": schema{"const": true}}},
	}
)

func matches(pattern string) schema { return schema{"type": "string", "pattern": pattern} }

func sizePattern() string {
	var names []string
	for _, unit := range units {
		names = append(names, unit.name)
	}
	return `^ *[0-9]+ *(` + strings.Join(names, "|") + `)$|^[0-9]+$`
}

// ownHeaderPattern has both cases of each letter, as JavaScript knows no (?i).
func ownHeaderPattern() string {
	var b strings.Builder
	for _, r := range strings.Join(ownHeaders, "|") {
		if lower := string(r); lower != strings.ToUpper(lower) {
			b.WriteString("[" + strings.ToUpper(lower) + lower + "]")
		} else {
			b.WriteRune(r)
		}
	}
	return "^([Ww][Ee][Bb][Hh][Oo][Oo][Kk]-.*|" + b.String() + ")$"
}
