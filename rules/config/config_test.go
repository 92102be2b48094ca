package config

import (
	"flag"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// canary is in every secret of these tests, and must never be shown.
const canary = "canary-that-nobody-may-see"

// testEnv has the environment variables of the configurations in tests.
var testEnv = map[string]string{
	"CRM_SECRET":           "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz",
	"CRM_SECRET_OLD":       canary,
	"ARCHIVE_SECRET":       canary + "\n",
	"SIDEHOOK_ADMIN_TOKEN": canary,
	"PSEUDONYM_KEY":        canary,
	"EMPTY":                "",
	"NEWLINE":              "\n",
	"SHORT_TOKEN":          "0123456789abcde",
	"WHSEC_SHORT":          "whsec_c2hvcnQ=",
	"WHSEC_NOT_BASE64":     "whsec_" + canary,
	"WHSK_WRONG":           "whsk_" + canary,
	"WHSK":                 "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=",
}

// testFolder is where the relative paths of the configurations in tests start.
const testFolder = "testdata"

func lookupTestEnv(name string) (string, bool) {
	text, found := testEnv[name]
	return text, found
}

// parseText parses a configuration as if its file were in testFolder.
func parseText(name, source string) (*Config, error) {
	return Parse(filepath.Join(testFolder, name), []byte(source), lookupTestEnv, readTestFile)
}

// golden compares got with a file, or writes it with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", file, diff)
	}
}

func mustRead(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestBadConfigurationsAreExplained(t *testing.T) {
	files, err := filepath.Glob(testFolder + "/bad/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d bad files, %v; want at least 40", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			config, err := parseText(name, mustRead(t, file))
			if err == nil {
				t.Fatalf("is accepted: %+v", config)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error shows a secret:\n%v", err)
			}
			got := strings.ReplaceAll(err.Error(), testFolder+"/", "") + "\n"
			for line := range strings.Lines(got) {
				if !strings.HasPrefix(line, name+":") {
					t.Errorf("does not begin with the file and line: %q", line)
				}
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".err", got)
		})
	}
}

func TestGoodConfigurationsAreAccepted(t *testing.T) {
	f := func(file string, change func(*Config)) {
		t.Helper()
		got, err := parseText(file, mustRead(t, filepath.Join(testFolder, "good", file)))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
		want := minimal(t)
		change(want)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Secret{}), cmp.AllowUnexported(URL{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Config{}, "Files"), cmpopts.EquateComparable(Network{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	crm := func(c *Config, change func(*Target)) {
		target := c.Targets["crm"]
		change(&target)
		c.Targets["crm"] = target
	}

	f("minimal.yaml", func(*Config) {})
	f("byte-order-mark.yaml", func(*Config) {})
	f("windows-line-ends.yaml", func(*Config) {})
	f("json.yaml", func(*Config) {})

	// false, zero and empty values are not missing ones
	f("explicit-zeros.yaml", func(c *Config) {
		c.Settle = 0
		crm(c, func(target *Target) {
			target.TLS.Verify = false
			target.Retry = Retry{Schedule: []Duration{}}
		})
	})
	// a mapping with one key keeps the defaults of the others
	f("one-of-each-mapping.yaml", func(c *Config) {
		c.Retention.Dead = Duration(24 * 3600e9)
		crm(c, func(target *Target) {
			target.Retry.Jitter = 0
			target.Breaker.Failures = 1
		})
	})
	// the forms of app
	f("app-without-port.yaml", func(c *Config) { c.App = "http://[::1]:80" })
	f("app-socket.yaml", func(c *Config) { c.App = "unix:/run/app.sock" })
	f("app-https.yaml", func(c *Config) { c.App = "https://app.example.org:443" })
	f("app-tls.yaml", func(c *Config) {
		pem := testFolder + "/files/"
		c.App, c.AppTLS = "https://app.example.org:443", TLS{CA: pem + "cert.pem", Cert: pem + "cert.pem", Key: pem + "key.pem"}
	})
	f("trusted-proxies.yaml", func(c *Config) {
		c.Forwarded = ForwardedAppend
		for _, text := range []string{"10.0.0.0/8", "fd00::/8", "0.0.0.0/0", "::/0", "192.0.2.7/32", "2001:db8::1/128"} {
			c.TrustedProxies = append(c.TrustedProxies, Network{netip.MustParsePrefix(text)})
		}
	})
	// more memory for larger bodies
	f("inspect-limit.yaml", func(c *Config) { c.InspectLimit, c.Limits.WatchedBodies = 16<<20, 128<<20 })
	// relative paths start from the folder of the file
	f("relative-paths.yaml", func(c *Config) {
		c.State = testFolder + "/state"
		c.Profile = testFolder + "/files/profile.yaml"
		crm(c, func(target *Target) {
			target.Secret = Secrets{NewSecret("secret of a file, " + canary)}
			target.TLS.CA = testFolder + "/files/cert.pem"
			target.TLS.Cert = testFolder + "/files/cert.pem"
			target.TLS.Key = testFolder + "/files/key.pem"
		})
	})
	f("egress.yaml", func(c *Config) {
		crm(c, func(target *Target) {
			target.Format = FormatCloudEvents
			target.Proxy.URL = urlOf(&url.URL{Scheme: "http", User: url.UserPassword("user", canary), Host: "proxy.example.org:3128"})
			target.Allow = Allowed{
				{Class: LinkLocal},
				{Network: Network{netip.MustParsePrefix("10.1.0.0/16")}},
				{Network: Network{netip.MustParsePrefix("192.0.2.7/32")}},
				{Network: Network{netip.MustParsePrefix("2001:db8::/32")}},
			}
		})
	})
	f("egress-none.yaml", func(c *Config) {
		crm(c, func(target *Target) {
			target.Format, target.Proxy.Straight, target.Allow = FormatCloudEvents, true, nil
		})
	})
	// the forms of replicas
	f("replicas-url.yaml", func(c *Config) {
		c.Replicas = replicas("nats://user:"+canary+"@nats-1:4223", "nats://user:"+canary+"@nats-2:4222", "nats://user:"+canary+"@[::1]:4222")
	})
	f("replicas.yaml", func(c *Config) {
		c.Replicas = replicas("tls://nats-1:4222", "nats://user:"+canary+"@nats-2:1")
		monitor, _ := ParseURL("http://nats-1:8222")
		c.Replicas.Name, c.Replicas.TLS.CA, c.Replicas.Monitor = "a.b", testFolder+"/files/cert.pem", []URL{monitor}
	})
	f("replicas-credentials.yaml", func(c *Config) {
		c.Replicas = replicas("nats://nats-1:4222")
		c.Replicas.Credentials = testFolder + "/files/nats.creds"
	})
	f("page-names.yaml", func(c *Config) {
		c.Rules[0].SourcePages = []PageName{{Number: 1}, {Name: "2"}, {Name: "Consent"}, {Name: "yes"}, {Name: "1.5"}}
	})
	f("surveys.yaml", func(c *Config) {
		c.Rules[0].Surveys = []string{"fzd", "12", "12/3", "007", "1e3", "customer-survey/4"}
	})
	f("anchors.yaml", func(c *Config) {
		url, _ := ParseURL("https://other.example.org/")
		crm(c, func(target *Target) { target.Timeout = Duration(3e9) })
		other := c.Targets["crm"]
		other.URL = url
		c.Targets["other"] = other
		c.Rules[0].To = []string{"crm", "other"}
	})
	f("names-with-dots.yaml", func(c *Config) {
		c.Targets = map[string]Target{"crm.example.org": c.Targets["crm"]}
		c.Rules[0].To = []string{"crm.example.org"}
		c.Rules[0].Name = "Zustimmung zu 1.5 & mehr"
	})
}

// replicas returns those of decsys, called as the host is.
func replicas(servers ...string) *Replicas {
	r := &Replicas{App: "decsys", Name: hostName(), TLS: TLS{Verify: true}}
	for _, text := range servers {
		server, err := ParseServer(text)
		if err != nil {
			panic(err)
		}
		r.Servers = append(r.Servers, server)
	}
	return r
}

// minimal returns what good/minimal.yaml says.
func minimal(t *testing.T) *Config {
	t.Helper()
	url, err := ParseURL("https://crm.example.org/hooks/survey")
	if err != nil {
		t.Fatal(err)
	}
	var crm Target
	crm.SetDefaults()
	crm.URL, crm.Secret = url, Secrets{NewSecret(testEnv["CRM_SECRET"])}
	config := defaults()
	config.App = "http://127.0.0.1:5000"
	config.Targets = map[string]Target{"crm": crm}
	config.Rules = []Rule{{Name: "rules[0]", To: []string{"crm"}}}
	return &config
}

func TestASummaryDescribesWhatGoesWhereWithoutSecrets(t *testing.T) {
	for _, name := range []string{"minimal", "summary", "egress", "egress-none", "replicas"} {
		config, err := parseText(name+".yaml", mustRead(t, testFolder+"/good/"+name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		got := config.Summary()
		if strings.Contains(got, canary) {
			t.Errorf("%s: the summary shows a secret:\n%s", name, got)
		}
		golden(t, testFolder+"/good/"+name+".summary", got)
	}
}
