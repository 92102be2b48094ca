package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const unchanged = `
app: http://127.0.0.1:5000
targets:
  crm: {url: https://crm.example.org/, secret: env:CRM_SECRET, retry: {schedule: [5s]}}
  lake: {url: https://lake.example.org/, secret: env:CRM_SECRET, only: [{page: 1}]}
rules:
  - {name: one, to: [crm]}
  - {name: two, when: completed, to: [lake]}
  - {to: [lake]}
`

func TestChangesNameTheirKeys(t *testing.T) {
	f := func(want string, replace ...string) {
		t.Helper()
		old, next := mustParse(t, unchanged), mustParse(t, strings.NewReplacer(replace...).Replace(unchanged))
		_, changes := old.Update(next)
		if got := strings.Join(changes.Live, "; "); got != want {
			t.Errorf("%q: live\n got %s\nwant %s", replace, got, want)
		}
		if len(changes.Restart) > 0 {
			t.Errorf("%q: restart %s", replace, changes.Restart)
		}
		if shown := fmt.Sprint(changes); strings.Contains(shown, canary) {
			t.Errorf("%q: shows a secret: %s", replace, shown)
		}
	}
	f("")
	f("abandoned_after changed", "\napp:", "\nabandoned_after: 1h\napp:")
	f("target crm changed (secret)", "crm.example.org/, secret: env:CRM_SECRET", "crm.example.org/, secret: env:CRM_SECRET_OLD")
	f("target crm changed (url, retry)", "crm.example.org", "new.example.org", "[5s]", "[6s]")
	f("target lake changed (only)", "page: 1", "page: 2")
	f("target lake changed (only)", "[{page: 1}]", "[]")
	f("target crm removed, its deliveries kept; target new added; rule \"one\" changed (to)", "crm:", "new:", "[crm]", "[new]")
	f(`rule "two" changed (when)`, "completed", "recovered")
	f(`rule "one" removed; rule "three" added`, "name: one", "name: three")
	f(`order of the rules changed`, "name: one, to: [crm]", "name: two, when: completed, to: [lake]", "name: two, when: completed, to: [lake]", "name: one, to: [crm]")
	f(`admin_token changed`, "app:", "admin_token: env:SIDEHOOK_ADMIN_TOKEN\napp:")
	f(`admin_pprof changed`, "app:", "admin_pprof: true\napp:")
	f(`log changed (level, access)`, "app:", "log: {level: debug, access: true}\napp:")
}

func TestWhatNeedsARestartKeepsItsOldValue(t *testing.T) {
	old := mustParse(t, unchanged)
	next := mustParse(t, `
app: http://127.0.0.1:5001
listen: :81
admin: :91
state: elsewhere
durability: relaxed
settle: 1s
response_timeout: 1m
inspect_limit: 2MiB
forwarded: replace
trusted_proxies: [10.0.0.1]
retention: {dead: 2h}
limits: {watched_bodies: 80MiB}
profile: files/profile.yaml
admin_token: env:SIDEHOOK_ADMIN_TOKEN
targets: {crm: {url: https://crm.example.org/, secret: env:CRM_SECRET}}
rules: [{to: [crm]}]
`)
	updated, changes := old.Update(next)
	want := []string{"listen", "admin", "app", "response_timeout", "forwarded", "trusted_proxies", "profile", "state", "durability", "inspect_limit", "settle", "retention", "limits"}
	if diff := cmp.Diff(want, changes.Restart); diff != "" {
		t.Errorf("restart (-want +got):\n%s", diff)
	}
	expected := *old
	expected.Targets, expected.Rules, expected.AdminToken = next.Targets, next.Rules, next.AdminToken
	if _, changes := updated.Update(&expected); len(changes.Live)+len(changes.Restart) > 0 {
		t.Errorf("the update is not the old one with the new targets, rules and token: %+v", changes)
	}
	if _, again := updated.Update(next); !cmp.Equal(changes.Restart, again.Restart) || again.Live != nil {
		t.Errorf("what still needs a restart is not reported again: %+v", again)
	}
}

func TestAProfileThatChangedInPlaceNeedsARestart(t *testing.T) {
	old, next := mustParse(t, unchanged+"profile: files/profile.yaml\n"), mustParse(t, unchanged+"profile: files/profile.yaml\n")
	next.Files[next.Profile] = Digest{1}
	updated, changes := old.Update(next)
	if diff := cmp.Diff(Changes{Restart: []string{"profile"}}, changes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, again := updated.Update(next); len(again.Restart) != 1 {
		t.Errorf("it is reported only once")
	}
}

func mustParse(t *testing.T, source string) *Config {
	t.Helper()
	config, err := parseText("f.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	return config
}
