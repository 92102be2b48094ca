package rules

import "time"

// Config is what the configuration file says, with every default filled in. It
// is data only: Load makes it, Compile turns it into the Set that decides.
type Config struct {
	// Listen is the participants' listener, "host:port" (host may be empty).
	Listen string `yaml:"listen"`
	// Admin is the operator's listener, "host:port" (host may be empty).
	Admin string `yaml:"admin"`
	// AdminToken opens the deliveries API to others than loopback; empty means loopback only.
	AdminToken Secret `yaml:"admin_token"`
	// App is the app behind the proxy: http://host:port or unix:/path.
	App string `yaml:"app"`
	// Profile is the name of a built-in profile ("decsys") or the path of a profile file.
	Profile string `yaml:"profile"`
	// State is the directory of the outbox and the journeys.
	State string `yaml:"state"`
	// Durability tells whether matched responses wait for the disk.
	Durability Durability `yaml:"durability"`
	// InspectLimit is the largest body, in bytes, that is copied and read; longer ones are only relayed.
	InspectLimit Size `yaml:"inspect_limit"`
	// Settle is how long an event waits for answers that were in flight at its navigation.
	Settle    Duration          `yaml:"settle"`
	Retention Retention         `yaml:"retention"`
	Targets   map[string]Target `yaml:"targets"`
	Rules     []Rule            `yaml:"rules"`
}

// Durability says when a matched response is released to the participant.
type Durability string

// The two durabilities.
const (
	// Strict releases a matched response once its observation is on disk.
	Strict Durability = "strict"
	// Relaxed releases it at once.
	Relaxed Durability = "relaxed"
)

// Retention bounds what the store keeps.
type Retention struct {
	Delivered Duration `yaml:"delivered"`
	Dead      Duration `yaml:"dead"`
	Journeys  Duration `yaml:"journeys"`
	Size      Size     `yaml:"size"`
}

// Target is a URL that receives webhooks, and how it wants them.
type Target struct {
	URL         URL               `yaml:"url"`
	Secret      Secrets           `yaml:"secret"`
	Format      Format            `yaml:"format"`
	TLS         TLS               `yaml:"tls"`
	Headers     map[string]string `yaml:"headers"`
	Timeout     Duration          `yaml:"timeout"`
	Retry       Retry             `yaml:"retry"`
	Breaker     Breaker           `yaml:"breaker"`
	Concurrency int               `yaml:"concurrency"`
	// Rate bounds attempts per second; 0 means no bound.
	Rate Rate `yaml:"rate"`
}

// Format is the shape of a webhook's body.
type Format string

// The formats.
const (
	FormatDecsys   Format = "decsys"
	FormatStandard Format = "standard"
)

// TLS is how a target's certificate is checked and which one we show.
type TLS struct {
	Verify bool   `yaml:"verify"`
	CA     string `yaml:"ca"`
	Cert   string `yaml:"cert"`
	Key    string `yaml:"key"`
}

// Retry is when a failed delivery is tried again: after each wait of the
// schedule in turn, varied by ±Jitter (0 to 1).
type Retry struct {
	Schedule []Duration `yaml:"schedule"`
	Jitter   float64    `yaml:"jitter"`
}

// Breaker is when a target counts as down: after Failures consecutive failures
// it is left alone for Open, then for twice that, up to MaxOpen.
type Breaker struct {
	Failures uint32   `yaml:"failures"`
	Open     Duration `yaml:"open"`
	MaxOpen  Duration `yaml:"max_open"`
}

// Rule says which events go to which targets. An empty list means all.
type Rule struct {
	Name            string      `yaml:"name"`
	On              []EventName `yaml:"on"`
	Surveys         []string    `yaml:"surveys"`
	SourcePages     []PageName  `yaml:"source_pages"`
	SourcePositions []int       `yaml:"source_positions"`
	When            string      `yaml:"when"`
	To              []string    `yaml:"to"`
}

// EventName is what a rule can fire on.
type EventName string

// The event names.
const (
	// PageNavigation is every navigation, the last one included.
	PageNavigation EventName = "page_navigation"
	// Completion is the navigation that ends the survey.
	Completion EventName = "completion"
)

// Size is a number of bytes, written 1MiB, 2GB or as a plain number.
type Size int64

// Duration is a time.Duration that may also be written in days (7d).
type Duration time.Duration

// Rate is a number of attempts per second, written 50/s, 100/m or 1000/h.
type Rate float64

// PageName names a page by its number in the survey as its author sees it, or by its name.
type PageName struct {
	Number int // 0 when it is given by name
	Name   string
}
