package config

// Config is what the configuration file says, with every default filled in. It
// is data only: Load makes it, Compile turns its rules into the Set that decides.
// Paths in it stand as they are to be opened: relative ones were taken from the
// folder of the file.
type Config struct {
	// Listen is the participants' listener, "host:port" (host may be empty).
	Listen string `yaml:"listen"`
	// Admin is the operator's listener, "host:port" (host may be empty).
	Admin string `yaml:"admin"`
	// AdminToken opens the deliveries API to others than loopback; empty means loopback only.
	AdminToken Secret `yaml:"admin_token"`
	// App is the app behind the proxy: http://host:port, https://host:port (the port is never left out) or unix:/path.
	App string `yaml:"app"`
	// AppTLS is how an app at https:// is spoken to.
	AppTLS TLS `yaml:"app_tls"`
	// ResponseTimeout bounds the wait for the head of the app's response, up to 1h; 0 means no bound.
	ResponseTimeout Duration `yaml:"response_timeout"`
	// Forwarded says what the app is told of who is in front of us.
	Forwarded Forwarded `yaml:"forwarded"`
	// TrustedProxies are those whose X-Forwarded-* the app may believe. Nil, for a
	// file without the key, means all, or with ForwardedReplace none; empty means none.
	TrustedProxies []Network `yaml:"trusted_proxies"`
	// Profile is the name of a built-in profile ("decsys") or the path of a profile file.
	Profile string `yaml:"profile"`
	// State is the directory of the outbox and the journeys.
	State string `yaml:"state"`
	// Durability tells whether matched responses wait for the disk.
	Durability Durability `yaml:"durability"`
	// InspectLimit is the largest body, in bytes, that is copied and read; longer ones are only relayed.
	InspectLimit Size `yaml:"inspect_limit"`
	// Settle is how long an event waits for answers that were in flight at its navigation.
	Settle    Duration  `yaml:"settle"`
	Retention Retention `yaml:"retention"`
	// Targets by name; there is at least one.
	Targets map[string]Target `yaml:"targets"`
	// Rules in the order of the file; there is at least one.
	Rules []Rule `yaml:"rules"`
	// Files are those that the configuration refers to, and what was in them.
	Files map[string]Digest `yaml:"-"`
}

// Digest tells contents of files apart, and tells nothing of them.
type Digest [32]byte

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
	// Delivered is how long a delivery stays after it was delivered; 0 drops it at once.
	Delivered Duration `yaml:"delivered"`
	// Dead is how long a delivery that was given up stays and can be redelivered, at least an hour.
	Dead Duration `yaml:"dead"`
	// Journeys is how long a journey stays after its last exchange, at least an hour.
	Journeys Duration `yaml:"journeys"`
	// Size is the most, in bytes, that the store may take.
	Size Size `yaml:"size"`
}

// Target is a URL that receives webhooks, and how it wants them.
type Target struct {
	URL URL `yaml:"url"`
	// Secret holds at least one.
	Secret Secrets `yaml:"secret"`
	Format Format  `yaml:"format"`
	TLS    TLS     `yaml:"tls"`
	// Proxy is the way out, Allow where it may lead besides public addresses.
	Proxy Proxy   `yaml:"proxy"`
	Allow Allowed `yaml:"allow"`
	// Headers are added to every attempt. None of them is one that sidehook sets itself.
	Headers map[string]string `yaml:"headers"`
	// Timeout bounds a whole attempt, 1ms to 60s.
	Timeout Duration `yaml:"timeout"`
	Retry   Retry    `yaml:"retry"`
	Breaker Breaker  `yaml:"breaker"`
	// Concurrency is how many attempts may run at once, from 1.
	Concurrency int `yaml:"concurrency"`
	// Order says which deliveries wait for each other.
	Order Order `yaml:"order"`
	// Rate bounds attempts per second; 0 means no bound.
	Rate Rate `yaml:"rate"`
	// Only are the answers that are sent at all: nil means every one, empty means none.
	Only []AnswerPart `yaml:"only"`
	// Redact is taken out of what is sent, Pseudonymise is replaced in it.
	Redact       Redact       `yaml:"redact"`
	Pseudonymise Pseudonymise `yaml:"pseudonymise"`
}

// AnswerPart names answers, or a part of them: those to the page, of the type,
// and in them what is at the path. What is left out narrows nothing.
type AnswerPart struct {
	Page PageName `yaml:"page"`
	Type string   `yaml:"type"`
	// Path is names with dots between, as address.street; never in Target.Only.
	Path string `yaml:"path"`
}

// Redact says what a target must not see.
type Redact struct {
	Participant bool         `yaml:"participant"`
	Answers     []AnswerPart `yaml:"answers"`
}

// Pseudonymise says of what a target sees a pseudonym, which is the same for the
// same value and Key.
type Pseudonymise struct {
	Key         Secret       `yaml:"key"`
	Participant bool         `yaml:"participant"`
	Answers     []AnswerPart `yaml:"answers"`
}

// Format is the shape of a webhook's body.
type Format string

// The formats.
const (
	FormatDecsys      Format = "decsys"
	FormatStandard    Format = "standard"
	FormatCloudEvents Format = "cloudevents"
)

// Order says which deliveries of a target wait for each other.
type Order string

// The orders.
const (
	// OrderParticipant sends a participant's deliveries one after the other: the next
	// one waits until the one before is delivered or dead.
	OrderParticipant Order = "participant"
	// OrderNone lets each delivery go by itself.
	OrderNone Order = "none"
)

// TLS is how the certificate of a target, or of the app, is checked and which
// one we show. The files are PEM; they have been read once and were right.
// They are read again when they change, the ca of the app excepted.
type TLS struct {
	Verify bool `yaml:"verify"`
	// CA is a file of certificates to trust instead of the system's, empty for those.
	CA string `yaml:"ca"`
	// Cert and Key are the files of our own certificate, both or neither.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Retry is when a failed delivery is tried again: after each wait of the
// schedule in turn, varied by ±Jitter (0 to 1). An empty schedule means one attempt only.
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
	// Name is unique; a rule without one is called by its place, rules[0].
	Name string      `yaml:"name"`
	On   []EventName `yaml:"on"`
	// Surveys are friendly ids (fzd), surveys (12) or instances (12/3).
	Surveys     []string   `yaml:"surveys"`
	SourcePages []PageName `yaml:"source_pages"`
	// SourcePositions are places in the participant's own order, from 1.
	SourcePositions []int `yaml:"source_positions"`
	// When is a gjson path over the event's data, empty for always.
	When string `yaml:"when"`
	// To names at least one target.
	To []string `yaml:"to"`
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

// PageName names a page by its number in the survey as its author sees it, or by its name.
type PageName struct {
	Number int // 0 when it is given by name
	Name   string
}
