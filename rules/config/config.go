package config

import "github.com/sidehook/sidehook/rules/strictyaml"

// Config is what the configuration file says, with every default filled in and
// every relative path resolved from the folder of the file.
type Config struct {
	// Listen is the address of the participants' listener, "host:port"; an empty host is every address.
	Listen string `yaml:"listen"`
	// Admin is the address of the operators' listener, "host:port"; an empty host is every address.
	Admin string `yaml:"admin"`
	// AdminToken opens the deliveries API to clients other than loopback, at least 16
	// bytes; without it only loopback has access.
	AdminToken Secret `yaml:"admin_token"`
	// AdminPprof is whether clients on loopback can profile the process on Admin.
	AdminPprof bool `yaml:"admin_pprof"`
	Log        Log  `yaml:"log"`
	// App is the app behind the proxy: http://host:port, https://host:port (always
	// with a port) or unix:/path.
	App string `yaml:"app"`
	// AppTLS is for an app at https://.
	AppTLS TLS `yaml:"app_tls"`
	// ResponseTimeout bounds the wait for the head of the app's response, up to 1h; 0 is unlimited.
	ResponseTimeout Duration `yaml:"response_timeout"`
	// DrainDelay is how long participants are served as before after SIGTERM, 0s to 5m,
	// and StopTimeout how long the whole stop may take, at least DrainDelay and
	// MinStop, 1h at most.
	DrainDelay  Duration `yaml:"drain_delay"`
	StopTimeout Duration `yaml:"stop_timeout"`
	// ErrorPage is the path of a page for participants while the app cannot be
	// reached, empty for the default one. ErrorPageContent is what is in it.
	ErrorPage        string `yaml:"error_page"`
	ErrorPageContent []byte `yaml:"-"`
	// Forwarded is what happens to X-Forwarded-For.
	Forwarded Forwarded `yaml:"forwarded"`
	// TrustedProxies are the networks whose forwarding headers reach the app. Nil, for
	// a file without the key, means all, or none with ForwardedReplace; empty means none.
	TrustedProxies []Network `yaml:"trusted_proxies"`
	// ProxyProtocol is whether connections from TrustedProxies begin with a header of
	// the PROXY protocol, which needs TrustedProxies.
	ProxyProtocol bool `yaml:"proxy_protocol"`
	// Upgrades are the protocols that participants may switch to.
	Upgrades []Protocol `yaml:"upgrades"`
	// RequestID is whether the app gets an X-Request-Id where the request has none.
	RequestID bool `yaml:"request_id"`
	// Profile is the name of a built-in profile ("decsys") or the path of a profile file.
	Profile string `yaml:"profile"`
	// State is the directory of the durable store.
	State string `yaml:"state"`
	// Replicas joins this sidehook with others in front of the same app; nil for a single one.
	Replicas *Replicas `yaml:"replicas"`
	// Durability is whether matched responses wait for the disk.
	Durability Durability `yaml:"durability"`
	// InspectLimit is the largest body, in bytes, that is copied and read, 1KiB to
	// 64MiB; longer ones are only relayed.
	InspectLimit Size `yaml:"inspect_limit"`
	// Settle is how long an event waits for answers that were in flight at its
	// navigation, 0s to 1m.
	Settle Duration `yaml:"settle"`
	// AbandonedAfter is how long a participant is silent who has abandoned the survey,
	// to the minute, 1m to 30d and less than Retention.Journeys.
	AbandonedAfter Duration `yaml:"abandoned_after"`

	Retention Retention `yaml:"retention"`
	Limits    Limits    `yaml:"limits"`
	// Targets by name; there is at least one.
	Targets map[string]Target `yaml:"targets"`
	// Rules in the order of the file; there is at least one.
	Rules []Rule `yaml:"rules"`
	// Files are those that the configuration refers to, with the digests of their contents.
	Files map[string]Digest `yaml:"-"`
}

// Digest is the SHA-256 of the content of a file, and reveals nothing of it.
type Digest [32]byte

// Durability is when a matched response is released to the participant.
type Durability string

// Durabilities.
const (
	// Strict releases a matched response once its observation is on disk.
	Strict Durability = "strict"
	// Relaxed releases it at once.
	Relaxed Durability = "relaxed"
)

var durabilityWords = []Durability{Strict, Relaxed}

// UnmarshalText reads strict or relaxed.
func (d *Durability) UnmarshalText(text []byte) (err error) {
	*d, err = strictyaml.OneOf(string(text), durabilityWords...)
	return err
}

// Limits bound what participants can take, in bytes.
type Limits struct {
	// Answer is the largest answer that is kept, 1KiB to 1MiB. Past it, the item's
	// answer is unknown.
	Answer Size `yaml:"answer"`
	// Journey is the size of a participant's pages and answers in one survey, and of
	// what waits for them, from Answer to 16MiB.
	Journey Size `yaml:"journey"`
	// WatchedBodies is the memory for bodies being inspected, at least
	// bodiesPerLimit times InspectLimit, 1GiB at most. Past it, the largest are only
	// relayed.
	WatchedBodies Size `yaml:"watched_bodies"`
}

// Retention bounds what the store keeps. The durations are 1h to 3650d.
type Retention struct {
	// Delivered is how long a delivery stays after it was delivered.
	Delivered Duration `yaml:"delivered"`
	// Dead is how long a dead delivery stays, and can be redelivered.
	Dead Duration `yaml:"dead"`
	// Journeys is how long a journey stays after its last exchange.
	Journeys Duration `yaml:"journeys"`
	// Statistics is how long the statistics of surveys stay, in whole days of UTC.
	Statistics Duration `yaml:"statistics"`
	// Size is the largest size of the store, in bytes, at least 16MiB.
	Size Size `yaml:"size"`
}
