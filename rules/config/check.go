package config

import (
	"cmp"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sidehook/sidehook/rules/profiles"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

const (
	// minToken is the shortest admin token, in bytes.
	minToken  = 16
	maxSettle = Duration(time.Minute)
	// Bounds of abandoned_after.
	minAbandonedAfter = Duration(time.Minute)
	maxAbandonedAfter = Duration(30 * 24 * time.Hour)
	// maxResponseTimeout is far beyond what anybody waits for.
	maxResponseTimeout = Duration(time.Hour)
	maxDrainDelay      = Duration(5 * time.Minute)
	maxStop            = Duration(time.Hour)

	// Bounds of inspect_limit: each watched body in flight takes memory.
	minInspectLimit = Size(1 << 10)
	maxInspectLimit = Size(64 << 20)
	// bodiesPerLimit is how many bodies of inspect_limit fit into
	// limits.watched_bodies at least: half of it is for decoding them, and memory
	// that grows is needed twice.
	bodiesPerLimit   = 8
	maxWatchedBodies = Size(1 << 30)
	// Bounds of limits.answer and limits.journey.
	minAnswer    = Size(1 << 10)
	maxAnswer    = Size(1 << 20)
	maxJourney   = Size(16 << 20)
	maxErrorPage = 256 << 10
	minRetention = Duration(time.Hour)
	minStore     = Size(16 << 20)
)

// MinStop is the part of stop_timeout that no request in flight gets: observations
// and outcomes are written then.
const MinStop = Duration(5 * time.Second)

// checker checks decoded values. It replaces references by the secrets they refer
// to, and resolves paths.
type checker struct {
	*strictyaml.Document
	sources
	config *Config
}

func (c *checker) check() {
	listen, admin := c.checkListeners()
	if c.config.ProxyProtocol && len(c.config.TrustedProxies) == 0 {
		c.Wrong("proxy_protocol", "needs trusted_proxies: anybody could claim any address; list your load balancers there")
	}
	c.checkApp()
	c.checkFolders()
	c.checkToken()
	c.checkStore()
	c.checkReplicas()
	if c.required("targets", "name at least one: targets: {crm: {url: ..., secret: ...}}") && len(c.config.Targets) == 0 {
		c.Wrong("targets", "is empty; name at least one target")
	}
	for _, name := range slices.Sorted(maps.Keys(c.config.Targets)) {
		c.checkTarget(name)
	}
	if c.required("rules", "write at least one: rules: [{to: [crm]}] sends every event to the target crm") && len(c.config.Rules) == 0 {
		c.Wrong("rules", "is empty; write at least one rule")
	}
	c.checkRules()
	c.checkLoops(listen, admin)
}

// required notes a missing value, and reports whether there is a usable one.
func (c *checker) required(path, advice string) bool {
	if !c.Has(path) {
		c.Wrong(path, "is missing; %s", advice)
	}
	return c.Usable(path)
}

// between notes a value out of bounds.
func between[T Duration | Size](c *checker, path string, value, low, high T, show func(T) string) {
	if value < low || value > high {
		c.Wrong(path, "must be %s to %s, not %s", show(low), show(high), show(value))
	}
}

func (c *checker) checkListeners() (listen, admin address) {
	listen = c.checkAddress("listen", c.config.Listen)
	admin = c.checkAddress("admin", c.config.Admin)
	samePort := listen.port == admin.port && listen.port != "0" && listen.port != ""
	sameHost := listen.host == admin.host || listen.host == "" || admin.host == ""
	if samePort && sameHost {
		path := "admin"
		if !c.Has(path) {
			path = "listen"
		}
		c.Wrong(path, "listen (%s) and admin (%s) must not be the same address", c.config.Listen, c.config.Admin)
	}
	return listen, admin
}

type address struct{ host, port string }

// checkAddress parses host:port; a wrong one gives the zero address.
func (c *checker) checkAddress(path, text string) address {
	host, port, err := net.SplitHostPort(text)
	number, errPort := strconv.ParseUint(port, 10, 16)
	if host == "*" {
		c.Wrong(path, "must be :%s for every address, not %s", port, strictyaml.Quoted(text))
		return address{}
	}
	if err != nil || errPort != nil || strings.ContainsAny(host, "/@ ") {
		c.Wrong(path, "must be host:port or :port, such as 127.0.0.1:8080 or :8080, not %s", strictyaml.Quoted(text))
		return address{}
	}
	return address{host, strconv.FormatUint(number, 10)}
}

func (c *checker) checkApp() {
	if !c.required("app", "say where the survey app listens: http://host:port, https://host:port or unix:/path") {
		return
	}
	if path, found := strings.CutPrefix(c.config.App, "unix:"); found {
		if !filepath.IsAbs(path) {
			c.Wrong("app", "must have an absolute path after unix:, such as unix:/run/app.sock")
		}
	} else {
		c.config.App = c.appURL(c.config.App)
	}
	isPlain := c.Usable("app") && !strings.HasPrefix(c.config.App, "https:")
	if isPlain && c.Has("app_tls") {
		c.Wrong("app_tls", "needs an app at https://")
	}
	c.checkTLS("app_tls", &c.config.AppTLS)
}

// appURL returns the app's URL with its port. Problems do not show it, since it may
// contain credentials.
func (c *checker) appURL(text string) string {
	ports := map[string]string{"http": "80", "https": "443"}
	parsed, err := url.Parse(text)
	switch {
	case err != nil || ports[parsed.Scheme] == "" || parsed.Hostname() == "" || !validPort(parsed.Port()):
		c.Wrong("app", "must be http://host:port, https://host:port or unix:/path (the value is not shown)")
		return ""
	case parsed.User != nil:
		c.Wrong("app", "must not have credentials: requests are passed on as participants sent them")
	case strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "":
		c.Wrong("app", "must not have a path or query: requests are passed on as participants sent them")
	}
	port := cmp.Or(parsed.Port(), ports[parsed.Scheme])
	return parsed.Scheme + "://" + net.JoinHostPort(parsed.Hostname(), port)
}

func (c *checker) checkFolders() {
	c.checkProfile()
	if c.config.State == "" {
		c.Wrong("state", "must not be empty; name a folder")
	}
	c.config.State = c.path(c.config.State)
	c.checkErrorPage()
}

func (c *checker) checkErrorPage() {
	if c.config.ErrorPage == "" {
		return
	}
	c.config.ErrorPage = c.path(c.config.ErrorPage)
	if c.withoutSecrets {
		return
	}
	content, err := c.read(c.config.ErrorPage)
	switch {
	case err != nil:
		c.Wrong("error_page", "%s", err)
	case len(content) == 0 || len(content) > maxErrorPage || !utf8.Valid(content):
		c.Wrong("error_page", "must be HTML in UTF-8, of %d KiB at most", maxErrorPage>>10)
	}
	c.config.ErrorPageContent = content
}

// checkProfile takes a text with a slash or a dot for a path, any other for the name of a built-in profile.
func (c *checker) checkProfile() {
	name := c.config.Profile
	if !strings.ContainsAny(name, "/\\.") {
		names := profiles.Names()
		if !slices.Contains(names, name) {
			c.Wrong("profile", "must be a built-in profile (%s) or the path of one, such as ./app.yaml, not %s%s",
				strings.Join(names, ", "), strictyaml.Quoted(name), strictyaml.DidYouMean(name, names))
		}
		return
	}
	c.config.Profile = c.path(name)
	if _, err := c.read(c.config.Profile); err != nil {
		c.Wrong("profile", "%s", err)
	}
}

func (c *checker) checkToken() {
	token, usable := c.checkSecret("admin_token", c.config.AdminToken)
	if usable && len(token.Reveal()) < minToken {
		c.Wrong("admin_token", "must refer to a token of at least %d characters; make one with: openssl rand -base64 32", minToken)
	}
	c.config.AdminToken = token
}

// checkSecret returns the secret that the reference at path refers to; ok is false if there is none.
func (c *checker) checkSecret(path string, reference Secret) (secret Secret, ok bool) {
	if !c.Usable(path) {
		return Secret{}, false
	}
	secret, err := c.secret(reference.Reveal())
	if err != nil {
		c.Wrong(path, "%s", err)
		return Secret{}, false
	}
	return secret, true
}

func (c *checker) checkStore() {
	between(c, "response_timeout", c.config.ResponseTimeout, 0, maxResponseTimeout, Duration.String)
	between(c, "drain_delay", c.config.DrainDelay, 0, maxDrainDelay, Duration.String)
	between(c, "stop_timeout", c.config.StopTimeout, MinStop, maxStop, Duration.String)
	if least := c.config.DrainDelay + MinStop; c.Has("stop_timeout") && c.config.StopTimeout < least {
		c.Wrong("stop_timeout", "must be at least drain_delay and %s to write what was recorded, which is %s", MinStop, least)
	} else if c.config.StopTimeout < least {
		c.config.StopTimeout = least
	}
	between(c, "inspect_limit", c.config.InspectLimit, minInspectLimit, maxInspectLimit, Size.String)
	c.checkLimits()
	between(c, "settle", c.config.Settle, 0, maxSettle, Duration.String)
	keep := c.config.Retention
	const longest = Duration(maxDays * 24 * time.Hour)
	between(c, "retention.delivered", keep.Delivered, minRetention, longest, Duration.String)
	between(c, "retention.dead", keep.Dead, minRetention, longest, Duration.String)
	between(c, "retention.journeys", keep.Journeys, minRetention, longest, Duration.String)
	between(c, "retention.statistics", keep.Statistics, minRetention, longest, Duration.String)
	c.checkAbandonedAfter()
	if keep.Size < minStore {
		c.Wrong("retention.size", "must be at least %s, not %s", minStore, keep.Size)
	}
}

// checkAbandonedAfter sees to it that journeys are kept until their silence is due.
func (c *checker) checkAbandonedAfter() {
	after, keep := c.config.AbandonedAfter, c.config.Retention.Journeys
	between(c, "abandoned_after", after, minAbandonedAfter, maxAbandonedAfter, Duration.String)
	if c.Usable("abandoned_after") && after >= keep {
		c.Wrong("abandoned_after", "must be less than retention.journeys, which is %s: nobody knows of a journey that is no longer kept", keep)
	}
}

// checkLimits checks limits. The default of watched_bodies is more where
// inspect_limit needs it.
func (c *checker) checkLimits() {
	limits := c.config.Limits
	between(c, "limits.answer", limits.Answer, minAnswer, maxAnswer, Size.String)
	between(c, "limits.journey", limits.Journey, limits.Answer, maxJourney, Size.String)
	bodies, least := &c.config.Limits.WatchedBodies, bodiesPerLimit*c.config.InspectLimit
	switch {
	case c.Has("inspect_limit") && !c.Usable("inspect_limit"): // so that nothing relates to it
	case !c.Has("limits.watched_bodies"):
		*bodies = max(*bodies, least)
	case *bodies < least || *bodies > maxWatchedBodies:
		c.Wrong("limits.watched_bodies", "must be %d times inspect_limit (%s) to %s, not %s", bodiesPerLimit, least, maxWatchedBodies, *bodies)
	}
}
