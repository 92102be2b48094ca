package config

import (
	"os"
	"regexp"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// maxServers is how many servers and monitors can be listed: more than a cluster has.
const maxServers = 16

// maxReplicaName is the longest name of a replica, in bytes.
const maxReplicaName = 64

// beginCredentials is how the first part of a file of credentials begins.
const beginCredentials = "-----BEGIN NATS USER JWT-----"

var (
	replicaName    = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	notReplicaName = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)
)

// checkReplicas checks replicas, and names this one after its host if it has no name.
func (c *checker) checkReplicas() {
	replicas := c.config.Replicas
	if replicas == nil || !c.Usable("replicas") {
		return
	}
	c.checkServers("replicas.servers", replicas.Servers)
	switch {
	case c.Has("replicas.app") && !appName.MatchString(replicas.App):
		c.Wrong("replicas.app", "must be 1 to 64 letters, digits, '_' or '-', such as decsys, not %s", strictyaml.Quoted(replicas.App))
	case replicas.App == "":
		c.Wrong("replicas.app", "is missing; name the app, the same for all of its replicas: app: decsys")
	}
	switch {
	case !c.Has("replicas.name"):
		replicas.Name = hostName()
	case !replicaName.MatchString(replicas.Name):
		c.Wrong("replicas.name", "must be 1 to %d letters, digits, '_', '-' or '.', not %s", maxReplicaName, strictyaml.Quoted(replicas.Name))
	}
	c.checkCredentials("replicas.credentials", replicas)
	c.checkTLS("replicas.tls", &replicas.TLS)
	if len(replicas.Monitor) > maxServers {
		c.Wrong("replicas.monitor", "must have at most %d addresses, not %d", maxServers, len(replicas.Monitor))
	}
}

func (c *checker) checkServers(path string, servers []Server) {
	const advice = "list those of one cluster: servers: [nats://nats-1:4222, nats://nats-2:4222, nats://nats-3:4222]"
	switch {
	case len(servers) == 0 && !c.Has(path):
		c.Wrong(path, "is missing; %s", advice)
	case len(servers) == 0:
		c.Wrong(path, "is empty; %s", advice)
	case len(servers) > maxServers:
		c.Wrong(path, "must have at most %d servers, not %d", maxServers, len(servers))
	}
}

// checkCredentials resolves the path of the file, and looks into it once.
func (c *checker) checkCredentials(path string, replicas *Replicas) {
	if !c.Usable(path) {
		return
	}
	for _, server := range replicas.Servers {
		if server.hasUser() {
			c.Wrong(path, "must not be there where a server has credentials of its own; remove one of them")
		}
	}
	file := c.path(string(replicas.Credentials))
	replicas.Credentials = CredentialsFile(file)
	if c.withoutSecrets {
		return
	}
	content, err := c.read(file)
	switch {
	case err != nil:
		c.Wrong(path, "%s", err)
	case !strings.Contains(string(content), beginCredentials):
		c.Wrong(path, "the file %s has no credentials of NATS, which begin with %s; nsc generate creds writes them", shownPath(file), beginCredentials)
	}
}

// hostName returns the name of the host as one of a replica.
func hostName() string {
	name, _ := os.Hostname()
	name = notReplicaName.ReplaceAllString(name, "-")
	if name == "" {
		return "sidehook"
	}
	return name[:min(len(name), maxReplicaName)]
}
