package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReplicasPrintWithoutCredentials(t *testing.T) {
	config, err := parseText("replicas.yaml", mustRead(t, testFolder+"/good/replicas.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(config.Replicas)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v", *config.Replicas), fmt.Sprintf("%+v", *config.Replicas), fmt.Sprintf("%#v", *config.Replicas), string(encoded)} {
		if strings.Contains(text, canary) || !strings.Contains(text, "nats-2:1") {
			t.Errorf("printed as %s", text)
		}
	}
	if got := config.Replicas.Servers[1].Reveal(); got != "nats://user:"+canary+"@nats-2:1" {
		t.Errorf("the server itself is %s", got)
	}
}

func TestReplicasChangeWithARestart(t *testing.T) {
	single, several := minimal(t), minimal(t)
	several.Replicas = replicas("nats://nats-1:4222")
	updated, changes := single.Update(several)
	if diff := cmp.Diff([]string{"replicas"}, changes.Restart); diff != "" || updated.Replicas != nil {
		t.Errorf("replicas become %v (-want +got):\n%s", updated.Replicas, diff)
	}
}

func TestAHostIsCalledAsAReplicaMayBe(t *testing.T) {
	if name := hostName(); !replicaName.MatchString(name) {
		t.Errorf("this host is called %q", name)
	}
}
