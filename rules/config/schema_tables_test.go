package config

import (
	"reflect"
	"strings"

	"github.com/sidehook/sidehook/rules/profiles"
	"github.com/sidehook/sidehook/rules/strictyaml/schema"
)

// The patterns must also be JavaScript's, with its flag u, since editors use them:
// no look-behind, and no escapes without a meaning. Where a pattern cannot be exact
// it accepts too much, since an editor must not complain about a correct file;
// only an empty text is refused where the key could be left out.
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
	listenPattern   = `^([^/@ :\[\]*]*|\[[^/@ \[\]]*\]):[0-9]+$`
	serverPattern   = `^(nats|tls)://([^/?#]*@)?` + hostPattern + `/*\??#?$`
	replicasPattern = `^(nats|tls)://([^/?#@]*@)?[^/?#@ ]+/[A-Za-z0-9_-]{1,64}$`
	// A step of an answer path is *, a plain name, or a name with an escape in it.
	stepPattern       = `(\*|[^.\\#|@*?()\[\]{}"!]+|([^.\\]|\\.)*\\.([^.\\]|\\.)*)`
	answerPathPattern = `^` + stepPattern + `(\.` + stepPattern + `)*$`
	protocolPattern   = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
	secretPattern     = `^(env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:.+)$`
)

// scalarSchemas describe the types that read themselves from a scalar.
var scalarSchemas = map[reflect.Type]schema.Schema{
	reflect.TypeFor[Duration]():        {"anyOf": []schema.Schema{matches(durationPattern), {"const": 0}}},
	reflect.TypeFor[Size]():            {"type": []string{"string", "integer"}, "pattern": sizePattern(), "minimum": 0},
	reflect.TypeFor[Rate]():            {"anyOf": []schema.Schema{{"const": unlimited}, matches(ratePattern)}},
	reflect.TypeFor[Secret]():          matches(secretPattern),
	reflect.TypeFor[HeaderValue]():     {"type": []string{"string", "number", "boolean"}},
	reflect.TypeFor[URL]():             matches(urlPattern),
	reflect.TypeFor[Proxy]():           {"anyOf": []schema.Schema{{"enum": []string{proxyOfEnvironment, noProxy}}, matches(proxyPattern)}},
	reflect.TypeFor[Protocol]():        {"type": "string", "pattern": protocolPattern, "not": matches("^[hH]2[cC]$")},
	reflect.TypeFor[Network]():         matches(networkPattern),
	reflect.TypeFor[AllowedRange]():    {"anyOf": []schema.Schema{{"enum": addressClasses}, matches(networkPattern)}},
	reflect.TypeFor[PageName]():        {"type": []string{"string", "number", "boolean"}, "minLength": 1, "exclusiveMinimum": 0},
	reflect.TypeFor[Server]():          matches(serverPattern),
	reflect.TypeFor[Replicas]():        matches(replicasPattern),
	reflect.TypeFor[CredentialsFile](): matches(`^file:.+$`),
	reflect.TypeFor[Durability]():      {"enum": durabilityWords},
	reflect.TypeFor[Forwarded]():       {"enum": forwardedWords},
	reflect.TypeFor[Format]():          {"enum": formatWords},
	reflect.TypeFor[LogFormat]():       {"enum": logFormatWords},
	reflect.TypeFor[LogLevel]():        {"enum": logLevelWords},
	reflect.TypeFor[Order]():           {"enum": orderWords},
	reflect.TypeFor[EventName]():       {"enum": eventWords},
}

// narrowed has what the checks demand beyond types.
func narrowed() map[string]schema.Schema {
	profiles := []schema.Schema{{"enum": profiles.Names()}, matches(`[/\\.]`)}
	byPath := map[string]schema.Schema{
		"": {
			"required": []string{"app", "targets", "rules"},
			"if":       schema.Schema{"required": []string{"app_tls"}},
			"then":     schema.Schema{"properties": schema.Schema{"app": schema.Schema{"pattern": "^https:"}}},
		},
		"listen":                     matches(listenPattern),
		"admin":                      matches(listenPattern),
		"app":                        matches(appPattern),
		"app_tls":                    {"dependencies": certAndKey},
		"profile":                    {"anyOf": profiles},
		"state":                      {"minLength": 1},
		"replicas":                   {"required": []string{"servers", "app"}},
		"replicas.servers":           {"minItems": 1, "maxItems": maxServers},
		"replicas.app":               {"pattern": `^[A-Za-z0-9_-]{1,64}$`},
		"replicas.name":              {"pattern": namePattern},
		"replicas.tls":               {"dependencies": certAndKey},
		"replicas.monitor":           {"maxItems": maxServers},
		"targets":                    {"minProperties": 1},
		"targets.*.secret":           {"minItems": 1},
		"targets.*.tls":              {"dependencies": certAndKey},
		"targets.*.headers":          {"propertyNames": schema.Schema{"pattern": namePattern, "not": matches(ownHeaderPattern())}},
		"targets.*.headers.*":        {"maxLength": maxHeader, "pattern": `^[^\x00-\x08\x0a-\x1f\x7f]*$`},
		"targets.*.retry.schedule":   {"maxItems": maxRetries},
		"targets.*.retry.jitter":     {"minimum": 0, "maximum": 1},
		"targets.*.breaker.failures": {"minimum": 1},
		"targets.*.concurrency":      {"minimum": 1, "maximum": maxConcurrency},
		"targets.*.only[].path":      {"not": schema.Schema{}},
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
			"if":       schema.Schema{"required": []string{"tls"}},
			"then":     schema.Schema{"properties": schema.Schema{"url": schema.Schema{"pattern": "^https:"}}},
		},
	}
	for _, list := range []string{"on", "surveys", "source_pages", "source_positions"} {
		byPath["rules[]."+list] = schema.Schema{"minItems": 1}
	}
	for _, key := range []string{"only", "redact.answers", "pseudonymise.answers"} {
		byPath["targets.*."+key+"[]"] = schema.Schema{"minProperties": 1}
		byPath["targets.*."+key+"[].type"] = schema.Schema{"minLength": 1}
	}
	for _, key := range []string{"redact.answers", "pseudonymise.answers"} {
		byPath["targets.*."+key] = schema.Schema{"minItems": 1}
		byPath["targets.*."+key+"[].path"] = schema.Schema{"pattern": answerPathPattern}
	}
	return byPath
}

var (
	certAndKey    = schema.Schema{"cert": []string{"key"}, "key": []string{"cert"}}
	doesSomething = []schema.Schema{
		{"required": []string{"answers"}},
		{"required": []string{"participant"}, "properties": schema.Schema{"participant": schema.Schema{"const": true}}},
	}
)

func matches(pattern string) schema.Schema {
	return schema.Schema{"type": "string", "pattern": pattern}
}

func sizePattern() string {
	var names []string
	for _, unit := range units {
		names = append(names, unit.name)
	}
	return `^ *[0-9]+ *(` + strings.Join(names, "|") + `)$|^[0-9]+$`
}

// ownHeaderPattern has both cases of each letter, since JavaScript lacks (?i).
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
