package config

import "github.com/sidehook/sidehook/rules/strictyaml"

// Target is a URL that receives webhooks, with everything about how it gets them.
type Target struct {
	URL URL `yaml:"url"`
	// Secret has at least one secret.
	Secret Secrets `yaml:"secret"`
	Format Format  `yaml:"format"`
	// TLS is for a URL at https://.
	TLS TLS `yaml:"tls"`
	// Proxy is the way out; Allow is where connections may go besides public addresses.
	Proxy Proxy   `yaml:"proxy"`
	Allow Allowed `yaml:"allow"`
	// Headers are added to every attempt, named as written. None of them is one that
	// sidehook sets itself.
	Headers map[string]HeaderValue `yaml:"headers"`
	// Timeout bounds a whole attempt, 1ms to 1m.
	Timeout Duration `yaml:"timeout"`
	Retry   Retry    `yaml:"retry"`
	Breaker Breaker  `yaml:"breaker"`
	// Concurrency is the largest number of attempts in flight, 1 to 1024.
	Concurrency int `yaml:"concurrency"`
	// Order is which deliveries wait for each other.
	Order Order `yaml:"order"`
	// Rate is the largest number of attempts per second; 0 is unlimited.
	Rate Rate `yaml:"rate"`
	// Only selects the answers that are sent: nil means all, empty means none.
	Only []AnswerPart `yaml:"only"`
	// Redact removes, and Pseudonymise replaces, parts of what is sent.
	Redact       Redact       `yaml:"redact"`
	Pseudonymise Pseudonymise `yaml:"pseudonymise"`
}

// Format is the shape of a webhook's body.
type Format string

// Formats.
const (
	// FormatDecsys is the body of Decsys' own webhooks.
	FormatDecsys Format = "decsys"
	// FormatStandard is snake_case JSON as Standard Webhooks recommends.
	FormatStandard Format = "standard"
	// FormatCloudEvents is the data of FormatStandard in a structured CloudEvent.
	FormatCloudEvents Format = "cloudevents"
)

var formatWords = []Format{FormatDecsys, FormatStandard, FormatCloudEvents}

// Has reports whether the format has a word for an event. Decsys' own webhooks have
// navigations alone.
func (f Format) Has(event EventName) bool {
	return f != FormatDecsys || event == PageNavigation || event == Completion
}

// UnmarshalText reads the name of a format.
func (f *Format) UnmarshalText(text []byte) (err error) {
	*f, err = strictyaml.OneOf(string(text), formatWords...)
	return err
}

// Order is which deliveries of a target wait for each other.
type Order string

// Orders.
const (
	// OrderParticipant sends the deliveries of a participant one after the other: the
	// next one waits until the one before is delivered or dead.
	OrderParticipant Order = "participant"
	// OrderNone lets each delivery go by itself.
	OrderNone Order = "none"
)

var orderWords = []Order{OrderParticipant, OrderNone}

// UnmarshalText reads participant or none.
func (o *Order) UnmarshalText(text []byte) (err error) {
	*o, err = strictyaml.OneOf(string(text), orderWords...)
	return err
}

// TLS is how the certificate of a target or the app is verified, and which client
// certificate it is shown. The files are PEM and were valid when they were loaded.
// They are read again when they change, except for the CA of the app.
type TLS struct {
	Verify bool `yaml:"verify"`
	// CA is a file of certificates to trust instead of the system's; empty means the system's.
	CA string `yaml:"ca"`
	// Cert and Key are the files of the client certificate: both or neither.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Retry is when a failed delivery is retried.
type Retry struct {
	// Schedule has the wait before each retry, up to 50 of 1ms to 30d each. Empty means a single attempt.
	Schedule []Duration `yaml:"schedule"`
	// Jitter is by how much each wait varies, 0 to 1: 0.2 is ±20%.
	Jitter float64 `yaml:"jitter"`
}

// Breaker is when a target counts as down, and nothing but probes is sent to it.
type Breaker struct {
	// Failures is the number of consecutive failures after which the breaker opens, at
	// least 1: of connections, and of first attempts for different participants.
	Failures uint32 `yaml:"failures"`
	// Open is the time until the first probe, 1ms to 24h. It doubles with each
	// failed probe, up to MaxOpen, 1ms to 24h.
	Open    Duration `yaml:"open"`
	MaxOpen Duration `yaml:"max_open"`
}

// AnswerPart selects answers, or a part of each: those to Page, of Type, and in
// them what Path leads to. A zero field selects all.
type AnswerPart struct {
	Page PageName `yaml:"page"`
	// Item is the id or code of an item, in which * stands for any text.
	Item string `yaml:"item"`
	Type string `yaml:"type"`
	// Path is names separated by dots, such as address.street; always empty in Target.Only.
	Path string `yaml:"path"`
}

// Redact is what a target must not see.
type Redact struct {
	Participant bool         `yaml:"participant"`
	Answers     []AnswerPart `yaml:"answers"`
}

// Pseudonymise is what a target sees only a pseudonym of, which is the same for
// the same value and Key.
type Pseudonymise struct {
	// Key has at least 16 bytes.
	Key         Secret       `yaml:"key"`
	Participant bool         `yaml:"participant"`
	Answers     []AnswerPart `yaml:"answers"`
}
