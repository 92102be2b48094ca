package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestOldSpellingsOfFlagsAreUnderstood(t *testing.T) {
	root := &cobra.Command{Use: "sidehook", Version: "dev"}
	root.AddCommand(Commands()...)
	root.Flags().String("config", "", "")
	f := func(line, want string) {
		t.Helper()
		if got := strings.Join(normalize(root, strings.Fields(line)), " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	f("", "")
	f("-config c.yaml", "--config c.yaml")
	f("-config=c.yaml", "--config=c.yaml")
	f("--config c.yaml", "--config c.yaml")
	f("try -json a.har -config c.yaml", "try --json a.har --config c.yaml")
	f("-help", "--help")
	f("-version", "--version")
	f("deliveries list -target a -state dead -since 2h -limit 3", "deliveries list --target a --state dead --since 2h --limit 3")
	f("deliveries redeliver -dry-run -rate 1/s", "deliveries redeliver --dry-run --rate 1/s")
	f("deliveries show msg_1 -body", "deliveries show msg_1 --body")
	f("forget -survey -admin p", "forget --survey -admin p")
	f("forget -- -json", "forget -- -json")
	f("forget -token env:A -", "forget --token env:A -")
	f("-h", "-h")
	f("-v", "-v")
	f("-x targets", "-x targets")
	f("-admin :9 targets", "targets --admin :9")
	f("--admin=:9 -json deliveries list", "deliveries --admin=:9 --json list")
	f("-config c.yaml check", "check --config c.yaml")
	f("-admin :9", "--admin :9")
	f("-json", "--json")
}
