package config_test

import (
	"fmt"
	"os"

	"github.com/sidehook/sidehook/rules/config"
)

// All problems are found in one pass, each with its position.
func ExampleParse() {
	source := `
app: http://127.0.0.1:5000
targets:
  crm: {url: "https://crm.example.org/hooks", secret: env:CRM_SECRET, timeout: 15}
rules:
  - to: [cmr]
`
	env := func(name string) (string, bool) { return "a secret that is long", name == "CRM_SECRET" }
	_, err := config.Parse("config.yaml", []byte(source), env, os.ReadFile)
	fmt.Println(err)
	// Output:
	// config.yaml:4:80: targets.crm.timeout: must be a duration such as 500ms, 15s, 5m, 2h or 7d, not "15"
	// config.yaml:6:10: rules[0].to[0]: no target "cmr"; did you mean "crm"?
}

func ExampleConfig_Summary() {
	source := "{app: 'unix:/run/app.sock', targets: {crm: {url: 'https://crm.example.org/x', secret: 'env:S'}}, rules: [{on: [completion], to: [crm]}]}"
	env := func(string) (string, bool) { return "a secret that is long", true }
	c, err := config.Parse("config.yaml", []byte(source), env, os.ReadFile)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(c.Summary())
	// Output:
	// participants  :8080 -> unix:/run/app.sock (profile decsys)
	// forwarded     preserve, trusting everybody: trusted_proxies is not set
	// admin         :9090 (deliveries from loopback only)
	// state         /var/lib/sidehook (strict)
	// limits        bodies up to 1MiB inspected, 64MiB of memory for all
	//
	// rules
	//   rules[0]: completion -> crm
	//
	// targets
	//   crm: https://crm.example.org, format decsys, 1 secret, retried 9 times, up to 16 in flight
}
