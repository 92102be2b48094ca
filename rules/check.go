package rules

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
)

const (
	// minToken is the shortest admin token, in bytes.
	minToken  = 16
	maxSettle = Duration(time.Minute)
	// maxResponseTimeout is far beyond what anybody waits for.
	maxResponseTimeout = Duration(time.Hour)

	// The bounds of a body that is copied and read: each one in flight takes memory.
	minInspectLimit = Size(1 << 10)
	maxInspectLimit = Size(64 << 20)
	minRetention    = Duration(time.Hour)
	minStore        = Size(16 << 20)
)

// checker notes what is wrong with decoded values, and puts what secrets refer
// to and what paths mean in their place.
type checker struct {
	*document
	sources
	config *Config
}

func (c *checker) check() {
	c.checkListeners()
	c.checkApp()
	c.checkFolders()
	c.checkToken()
	c.checkStore()
	if c.required("targets", "name at least one: targets: {crm: {url: ..., secret: ...}}") && len(c.config.Targets) == 0 {
		c.wrong("targets", "is empty; name at least one target")
	}
	for _, name := range slices.Sorted(maps.Keys(c.config.Targets)) {
		c.checkTarget(name)
	}
	if c.required("rules", "write at least one: rules: [{to: [crm]}] sends every event to the target crm") && len(c.config.Rules) == 0 {
		c.wrong("rules", "is empty; write at least one rule")
	}
	c.checkRules()
}

// required notes that the file must have path, and tells whether it has a usable value there.
func (c *checker) required(path, advice string) bool {
	if !c.has(path) {
		c.wrong(path, "is missing; %s", advice)
	}
	return c.usable(path)
}

// usable tells whether the file has path and nothing was wrong there yet.
func (c *checker) usable(path string) bool {
	return c.has(path) && !c.noted[spot{path, c.find(path)}]
}

// between notes a value outside its bounds.
func between[T Duration | Size](c *checker, path string, value, low, high T, show func(T) string) {
	if value < low || value > high {
		c.wrong(path, "must be %s to %s, not %s", show(low), show(high), show(value))
	}
}

func (c *checker) checkListeners() {
	listen := c.checkAddress("listen", c.config.Listen)
	admin := c.checkAddress("admin", c.config.Admin)
	samePort := listen.port == admin.port && listen.port != "0" && listen.port != ""
	sameHost := listen.host == admin.host || listen.host == "" || admin.host == ""
	if samePort && sameHost {
		path := "admin"
		if !c.has(path) {
			path = "listen"
		}
		c.wrong(path, "listen (%s) and admin (%s) must not be the same address", c.config.Listen, c.config.Admin)
	}
}

type address struct{ host, port string }

// checkAddress reads host:port; the zero address is a wrong one.
func (c *checker) checkAddress(path, text string) address {
	host, port, err := net.SplitHostPort(text)
	number, errPort := strconv.ParseUint(port, 10, 16)
	if err != nil || errPort != nil || strings.ContainsAny(host, "/@ ") {
		c.wrong(path, "must be host:port or :port, such as 127.0.0.1:8080 or :8080, not %s", quoted(text))
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
			c.wrong("app", "must have an absolute path after unix:, such as unix:/run/app.sock")
		}
	} else {
		c.config.App = c.webApp(c.config.App)
	}
	isPlain := c.usable("app") && !strings.HasPrefix(c.config.App, "https:")
	if isPlain && c.has("app_tls") {
		c.wrong("app_tls", "needs an app that begins with https://")
	}
	c.checkTLS("app_tls", &c.config.AppTLS)
}

// webApp returns the app's URL with its port. What is wrong with it is told
// without showing it, as it may hold credentials.
func (c *checker) webApp(text string) string {
	ports := map[string]string{"http": "80", "https": "443"}
	parsed, err := url.Parse(text)
	switch {
	case err != nil || ports[parsed.Scheme] == "" || parsed.Hostname() == "" || !validPort(parsed.Port()):
		c.wrong("app", "must be http://host:port, https://host:port or unix:/path (yours is not shown)")
		return ""
	case parsed.User != nil:
		c.wrong("app", "must not have credentials: participants' requests go on as they came")
	case strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "":
		c.wrong("app", "must not have a path or query: participants' requests go on as they came")
	}
	port := cmp.Or(parsed.Port(), ports[parsed.Scheme])
	return parsed.Scheme + "://" + net.JoinHostPort(parsed.Hostname(), port)
}

func (c *checker) checkFolders() {
	c.checkProfile()
	if c.config.State == "" {
		c.wrong("state", "must be a folder, not an empty text")
	}
	c.config.State = c.path(c.config.State)
}

// checkProfile tells a path (with a slash, or an ending like .yaml) from a built-in profile's name.
func (c *checker) checkProfile() {
	name := c.config.Profile
	if !strings.ContainsAny(name, "/\\.") {
		names := builtinProfiles()
		if !slices.Contains(names, name) {
			c.wrong("profile", "must be a built-in profile (%s) or the path of one, such as ./app.yaml, not %s%s",
				strings.Join(names, ", "), quoted(name), didYouMean(name, names))
		}
		return
	}
	c.config.Profile = c.path(name)
	if _, err := c.read(c.config.Profile); err != nil {
		c.wrong("profile", "%s", err)
	}
}

// builtinProfiles are the names of the profiles that need no file.
func builtinProfiles() []string {
	files, _ := builtin.ReadDir("profiles")
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file.Name(), ".yaml"))
	}
	return names
}

func (c *checker) checkToken() {
	token, usable := c.checkSecret("admin_token", c.config.AdminToken)
	if usable && len(token.Reveal()) < minToken {
		c.wrong("admin_token", "must refer to at least %d characters; make one with: openssl rand -base64 32", minToken)
	}
	c.config.AdminToken = token
}

// checkSecret returns the secret that the reference at path refers to, if there is one.
func (c *checker) checkSecret(path string, reference Secret) (Secret, bool) {
	if !c.usable(path) {
		return Secret{}, false
	}
	secret, err := c.secret(reference.Reveal())
	if err != nil {
		c.wrong(path, "%s", err)
		return Secret{}, false
	}
	return secret, true
}

func (c *checker) checkStore() {
	between(c, "response_timeout", c.config.ResponseTimeout, 0, maxResponseTimeout, Duration.String)
	between(c, "inspect_limit", c.config.InspectLimit, minInspectLimit, maxInspectLimit, Size.String)
	between(c, "settle", c.config.Settle, 0, maxSettle, Duration.String)
	keep := c.config.Retention
	const longest = Duration(maxDays * 24 * time.Hour)
	between(c, "retention.delivered", keep.Delivered, minRetention, longest, Duration.String)
	between(c, "retention.dead", keep.Dead, minRetention, longest, Duration.String)
	between(c, "retention.journeys", keep.Journeys, minRetention, longest, Duration.String)
	if keep.Size < minStore {
		c.wrong("retention.size", "must be at least %s, not %s", minStore, keep.Size)
	}
}
