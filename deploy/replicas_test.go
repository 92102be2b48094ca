package deploy

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/nats-io/nats-server/v2/server"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// replicas are how many sidehooks and servers there are.
const replicas = 3

func TestTheReplicasOfComposeShareALogAndNothingElse(t *testing.T) {
	project := loadCompose(t, "replicas.yaml")
	volumes, hosts := map[string]bool{}, map[string]bool{}
	for n := 1; n <= replicas; n++ {
		s := project.Services[fmt.Sprintf("sidehook-%d", n)]
		if grace := time.Duration(*s.StopGracePeriod); grace <= 25*time.Second || s.MemLimit < 256<<20 || s.Ulimits["nofile"].Single != 65536 {
			t.Errorf("%s is killed after %v, has %d bytes of memory, and %v open files", s.Name, grace, s.MemLimit, s.Ulimits["nofile"])
		}
		config, state := s.Volumes[0], s.Volumes[1]
		if info, err := os.Stat(config.Source); err != nil || !info.IsDir() || config.Target != "/etc/sidehook" {
			t.Errorf("%s has the configuration from %s at %s (%v)", s.Name, config.Source, config.Target, err)
		}
		if state.Type != types.VolumeTypeVolume || state.Target != "/var/lib/sidehook" {
			t.Errorf("%s has its state in %s at %s", s.Name, state.Source, state.Target)
		}
		volumes[state.Source], hosts[s.Hostname] = true, true

		nats := project.Services[fmt.Sprintf("nats-%d", n)]
		if name := nats.Environment["SERVER_NAME"]; name == nil || *name != nats.Name {
			t.Errorf("%s is called %v", nats.Name, name)
		}
		if data := nats.Volumes[1]; data.Type != types.VolumeTypeVolume || data.Target != "/data" {
			t.Errorf("%s has its log in %s at %s", nats.Name, data.Source, data.Target)
		}
		volumes[nats.Volumes[1].Source] = true
		if len(nats.Networks) != 1 || !project.Networks["log"].Internal {
			t.Errorf("%s can be reached from %v", nats.Name, nats.Networks)
		}
	}
	if len(volumes) != 2*replicas || len(hosts) != replicas {
		t.Errorf("volumes or names are shared: %v, %v", volumes, hosts)
	}
	for name, service := range project.Services {
		if !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) {
			t.Errorf("%s can write to its root, or keeps capabilities", name)
		}
		if name != "balancer" && len(service.Ports) > 0 {
			t.Errorf("%s can be reached past the load balancer", name)
		}
	}
}

// What replicas promise needs servers that sync, and that know each other.
func TestTheServersOfReplicasSyncAndKnowEachOther(t *testing.T) {
	f := func(name, text, config string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Setenv("SERVER_NAME", "nats-1")
			options := natsOptions(t, text)
			if !options.JetStream || !options.SyncAlways || options.StoreDir != "/data" || options.ServerName != "nats-1" {
				t.Errorf("JetStream is %t, sync_interval: always %t, store_dir %s, server_name %s",
					options.JetStream, options.SyncAlways, options.StoreDir, options.ServerName)
			}
			hosts := serversOf(t, config)
			if len(options.Routes) != replicas || len(hosts) != replicas {
				t.Fatalf("the routes are %v, and the servers %v", options.Routes, hosts)
			}
			for n, host := range hosts {
				name, port, _ := strings.Cut(host, ":")
				if route := options.Routes[n]; route.Hostname() != name || route.Port() != fmt.Sprint(options.Cluster.Port) || port != fmt.Sprint(options.Port) {
					t.Errorf("sidehook connects to %s, and the servers to %v", host, route)
				}
			}
		})
	}
	f("compose", read(t, "replicas/nats.conf"), read(t, "replicas/sidehook/config.yaml"))
	f("kubernetes", load(t, "nats.yaml").config.Data["nats.conf"], load(t, "replicas.yaml").config.Data["config.yaml"])
}

// serversOf returns the hosts and ports of the servers in a configuration of sidehook.
func serversOf(t *testing.T, config string) (hosts []string) {
	t.Helper()
	var in struct{ Replicas any }
	if err := yaml.Unmarshal([]byte(config), &in); err != nil {
		t.Fatal(err)
	}
	switch r := in.Replicas.(type) {
	case string:
		list, _, _ := strings.Cut(strings.TrimPrefix(r, "nats://"), "/")
		return strings.Split(list, ",")
	case map[string]any:
		for _, one := range r["servers"].([]any) {
			parsed, err := url.Parse(one.(string))
			if err != nil {
				t.Fatal(err)
			}
			hosts = append(hosts, parsed.Host)
		}
	}
	return hosts
}

func natsOptions(t *testing.T, text string) *server.Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nats.conf")
	write(t, path, text)
	options, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return options
}

func TestTheServersOfKubernetesOutliveNodesAndRollouts(t *testing.T) {
	nats, sidehook := load(t, "nats.yaml"), load(t, "replicas.yaml")
	for file, m := range map[string]*manifest{"nats.yaml": nats, "replicas.yaml": sidehook} {
		term := m.pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0]
		for name, selector := range map[string]*metav1.LabelSelector{
			"the anti-affinity":       term.LabelSelector,
			"the workload":            m.workload,
			"the PodDisruptionBudget": m.disruption.Spec.Selector,
			"the NetworkPolicy":       &m.networkPolicy.Spec.PodSelector,
			"the Service":             {MatchLabels: m.service.Spec.Selector},
		} {
			parsed, err := metav1.LabelSelectorAsSelector(selector)
			if err != nil || !parsed.Matches(labels.Set(m.pod.Labels)) {
				t.Errorf("%s: the pod is not selected by %s (%v)", file, name, err)
			}
		}
		if term.TopologyKey != "kubernetes.io/hostname" || m.pods != replicas || m.disruption.Spec.MaxUnavailable.IntVal != 1 {
			t.Errorf("%s: %d pods, apart by %s, %v of them may go", file, m.pods, term.TopologyKey, m.disruption.Spec.MaxUnavailable)
		}
	}
	t.Setenv("SERVER_NAME", "nats-0")
	options, grace := natsOptions(t, nats.config.Data["nats.conf"]), time.Duration(*nats.pod.Spec.TerminationGracePeriodSeconds)*time.Second
	if options.LameDuckDuration >= grace {
		t.Errorf("it is killed after %v, but may take %v to stop", grace, options.LameDuckDuration)
	}
	if storage := nats.claim.Resources.Requests.Storage().Value(); options.JetStreamMaxStore >= storage {
		t.Errorf("the claim has %d bytes for %d", storage, options.JetStreamMaxStore)
	}
	if nats.service.Spec.ClusterIP != "None" || !nats.service.Spec.PublishNotReadyAddresses {
		t.Error("the servers do not find each other before they are ready")
	}
	opens := func(m *manifest, to string, port int32) bool {
		for _, rule := range m.networkPolicy.Spec.Egress {
			for _, peer := range rule.To {
				for _, p := range rule.Ports {
					if peer.PodSelector != nil && peer.PodSelector.MatchLabels["app.kubernetes.io/name"] == to && p.Port.IntVal == port {
						return true
					}
				}
			}
		}
		return false
	}
	if !opens(sidehook, "nats", 4222) || !opens(sidehook, "nats", 8222) || !opens(nats, "nats", 6222) {
		t.Error("a NetworkPolicy closes what the log needs")
	}
}

// The load balancer and the replicas run as processes, at other ports.
func TestTheLoadBalancerSendsParticipantsToWhoIsReady(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("there is no haproxy here")
	}
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	folder, free := t.TempDir(), freeAddresses(t, 2+2*replicas)
	app, front := free[0], free[1]
	start(t, exec.Command(program, "demo", "--app", app))
	// So many connections are more than some machines allow a process.
	balancer := strings.NewReplacer("maxconn 10000", "maxconn 100", ":8080\n  default_backend", front+"\n  default_backend", "app:5000", app).Replace(read(t, "replicas/haproxy.cfg"))
	var processes []*exec.Cmd
	var admins []string
	for n := 1; n <= replicas; n++ {
		listen, admin := free[2*n], free[2*n+1]
		name := fmt.Sprintf("sidehook-%d", n)
		balancer = strings.Replace(balancer, fmt.Sprintf("%s %s:8080", name, name), fmt.Sprintf("%s %s port %s", name, listen, strings.Split(admin, ":")[1]), 1)
		write(t, filepath.Join(folder, name, "config.yaml"), fmt.Sprintf(
			"app: http://%s\nlisten: %s\nadmin: %s\nstate: state\ntrusted_proxies: [127.0.0.1]\ntargets: {crm: {url: 'http://127.0.0.1:1', secret: env:CRM_SECRET}}\nrules: [{to: [crm]}]\n", app, listen, admin))
		cmd := exec.Command(program, "run", filepath.Join(folder, name, "config.yaml"))
		cmd.Env = append(os.Environ(), "CRM_SECRET="+secret)
		start(t, cmd)
		processes, admins = append(processes, cmd), append(admins, admin)
		await(t, "http://"+admin+"/ready", func(status int, _ string) bool { return status == http.StatusOK })
	}
	write(t, filepath.Join(folder, "haproxy.cfg"), balancer)
	if out, err := exec.CommandContext(t.Context(), "haproxy", "-c", "-f", filepath.Join(folder, "haproxy.cfg")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	start(t, exec.Command("haproxy", "-db", "-f", filepath.Join(folder, "haproxy.cfg")))
	served := func(status int, _ string) bool { return status == http.StatusOK }
	await(t, "http://"+front+"/api/config", served)
	takeFirstPage(t, front)
	for n, cmd := range processes {
		_ = cmd.Process.Signal(syscall.SIGINT)
		for isServing := true; isServing; {
			_, _, err := get(t.Context(), "http://"+admins[n]+"/live")
			isServing = err == nil
		}
		// In the end it is the app itself that serves.
		await(t, "http://"+front+"/api/config", served)
	}
}
