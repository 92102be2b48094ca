package config

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// natsPort is where a NATS server listens whose port is not written.
const natsPort = "4222"

// exampleReplicas shows how replicas is written as a single text.
const exampleReplicas = "nats://nats-1:4222,nats-2:4222,nats-3:4222/decsys"

// These errors show nothing of what was written, which may contain credentials.
var (
	errReplicas      = errors.New("must be the servers and the app, such as " + exampleReplicas + ", or a mapping with servers and app (the value is not shown)")
	errReplicasApp   = errors.New("must end in the name of the app, 1 to 64 letters, digits, '_' or '-', such as " + exampleReplicas + " (the value is not shown)")
	errReplicasUsers = errors.New("must have credentials once, before the first server, with %40 for an @ in them; " +
		"write a mapping with servers where each has its own (the value is not shown)")
	errServer      = errors.New("must be a single NATS server, nats://host:port or tls://host:port, such as nats://nats-1:4222 (the value is not shown)")
	errCredentials = errors.New("must be file:PATH, where the credentials of NATS are; they must not be in this file themselves")
)

// appName is what the streams of an app may be called.
var appName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Replicas is what joins several sidehooks in front of one app: the NATS servers that
// have their common log.
type Replicas struct {
	// Servers has 1 to 16 servers of one cluster.
	Servers []Server `yaml:"servers"`
	// App is the name of the log, 1 to 64 letters, digits, '_' or '-': the same for all
	// replicas of an app, and for no other app.
	App string `yaml:"app"`
	// Name is what people call this replica, never empty.
	Name string `yaml:"name"`
	// Credentials is the path of a file of NATS, empty for none.
	Credentials CredentialsFile `yaml:"credentials"`
	// TLS is for the connection to Servers. With tls:// there must be TLS; with nats://
	// there is where the server asks for it, or where TLS names a file.
	TLS TLS `yaml:"tls"`
	// Monitor has the addresses of the servers' monitoring, where check finds out
	// whether they sync; it may be empty.
	Monitor []URL `yaml:"monitor"`
}

// SetDefaults sets r to replicas without any keys. Servers and App have no default,
// and that of Name is the host's.
func (r *Replicas) SetDefaults() { *r = Replicas{TLS: TLS{Verify: true}} }

// UnmarshalShort reads the servers and the app from a single URL.
func (r *Replicas) UnmarshalShort(text string) error {
	scheme, rest, isURL := strings.Cut(text, "://")
	hosts, app, _ := strings.Cut(rest, "/")
	var user string
	if at := strings.LastIndexByte(hosts, '@'); at >= 0 {
		user, hosts = hosts[:at+1], hosts[at+1:]
	}
	switch {
	case !isURL || strings.ContainsAny(hosts, "?#"):
		return errReplicas
	case strings.Count(user, "@") > 1:
		return errReplicasUsers
	}
	var servers []Server
	for host := range strings.SplitSeq(hosts, ",") {
		server, err := ParseServer(scheme + "://" + user + host)
		if err != nil {
			return errReplicas
		}
		servers = append(servers, server)
	}
	if !appName.MatchString(app) {
		return errReplicasApp
	}
	r.Servers, r.App = servers, app
	return nil
}

// Server is the URL of a NATS server, with its port. Its userinfo prints as <secret>.
type Server struct{ URL }

// ParseServer parses the nats:// or tls:// URL of one server. Its errors do not show
// the text.
func ParseServer(text string) (Server, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "nats" && parsed.Scheme != "tls" || !isOneHost(parsed) ||
		strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return Server{}, errServer
	}
	plain := url.URL{Scheme: parsed.Scheme, User: parsed.User, Host: net.JoinHostPort(parsed.Hostname(), cmp.Or(parsed.Port(), natsPort))}
	server := Server{urlOf(&plain)}
	if plain.User != nil {
		server.shown = plain.Scheme + "://" + hidden + "@" + plain.Host
	}
	return server, nil
}

// isOneHost reports whether the URL has a single host, with a port or without.
func isOneHost(parsed *url.URL) bool {
	isName := !strings.ContainsAny(parsed.Hostname(), ":,")
	return parsed.Hostname() != "" && validPort(parsed.Port()) && (isName || strings.HasPrefix(parsed.Host, "["))
}

// UnmarshalScalar reads what ParseServer takes.
func (s *Server) UnmarshalScalar(text string, _ bool) (err error) {
	*s, err = ParseServer(text)
	return err
}

// hasUser reports whether the URL has credentials.
func (s Server) hasUser() bool { return strings.Contains(s.shown, hidden+"@") }

// CredentialsFile is the path of a file with the credentials of a NATS user, written
// as file:PATH.
type CredentialsFile string

// UnmarshalText reads file:PATH.
func (f *CredentialsFile) UnmarshalText(text []byte) error {
	path, found := strings.CutPrefix(string(text), "file:")
	if !found || path == "" {
		return errCredentials
	}
	*f = CredentialsFile(path)
	return nil
}

var _ strictyaml.ShortUnmarshaler = (*Replicas)(nil)
