package deploy

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	admission "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// imageUser is the user and group of the image.
const imageUser = 65532

// manifest has the objects of one file that are of interest.
type manifest struct {
	config        *corev1.ConfigMap
	pod           corev1.PodTemplateSpec
	workload      *metav1.LabelSelector
	claim         corev1.PersistentVolumeClaimSpec
	service       *corev1.Service
	disruption    *policyv1.PodDisruptionBudget
	networkPolicy *networkingv1.NetworkPolicy
	podMonitor    *monitoringv1.PodMonitor
	// pods is how many of them there are.
	pods int32
}

func TestTheManifestsAreOfTheTypesOfKubernetes(t *testing.T) {
	f := func(file string) {
		t.Helper()
		m := load(t, file)
		if m.config == nil || m.workload == nil || m.service == nil || m.disruption == nil || m.networkPolicy == nil {
			t.Errorf("%s lacks an object: %+v", file, m)
		}
	}
	f("sidecar.yaml")
	f("standalone.yaml")
	f("replicas.yaml")
	if _, err := decode("apiVersion: v1\nkind: Service\nspec: {port: []}"); err == nil {
		t.Error("a misspelt key is accepted")
	}
}

func TestEverySelectorSelectsThePodOfSidehook(t *testing.T) {
	f := func(file string) {
		t.Helper()
		m := load(t, file)
		for name, selector := range map[string]*metav1.LabelSelector{
			"the workload":            m.workload,
			"the Service":             {MatchLabels: m.service.Spec.Selector},
			"the PodDisruptionBudget": m.disruption.Spec.Selector,
			"the NetworkPolicy":       &m.networkPolicy.Spec.PodSelector,
			"the PodMonitor":          &load(t, "podmonitor.yaml").podMonitor.Spec.Selector,
		} {
			parsed, err := metav1.LabelSelectorAsSelector(selector)
			if err != nil || !parsed.Matches(labels.Set(m.pod.Labels)) {
				t.Errorf("%s: the pod is not selected by %s (%v)", file, name, err)
			}
		}
	}
	f("sidecar.yaml")
	f("standalone.yaml")
	f("replicas.yaml")
}

func TestThePortsAreThoseThatSidehookListensOn(t *testing.T) {
	endpoint := load(t, "podmonitor.yaml").podMonitor.Spec.PodMetricsEndpoints[0]
	f := func(file string) {
		t.Helper()
		m := load(t, file)
		c := m.container(t)
		ports := map[string]int32{}
		for _, port := range c.Ports {
			ports[port.Name] = port.ContainerPort
		}
		if ports["http"] != 8080 || ports["admin"] != 9090 || ports[*endpoint.Port] != 9090 {
			t.Errorf("%s: the ports are %v, and the PodMonitor scrapes %s", file, ports, *endpoint.Port)
		}
		if port := m.service.Spec.Ports[0].TargetPort.IntVal; port != 8080 {
			t.Errorf("%s: the Service sends participants to port %d", file, port)
		}
		var open []int32
		for _, rule := range m.networkPolicy.Spec.Ingress {
			for _, port := range rule.Ports {
				open = append(open, port.Port.IntVal)
			}
		}
		if len(open) != 2 || open[0] != 8080 || open[1] != 9090 {
			t.Errorf("%s: the NetworkPolicy opens %v, want 8080 and 9090 alone", file, open)
		}
		probe := func(name string, probe *corev1.Probe, path string) {
			if probe == nil || probe.HTTPGet.Path != path || ports[probe.HTTPGet.Port.StrVal] != 9090 {
				t.Errorf("%s: the %s probe is %v, want a GET of %s on the admin port", file, name, probe, path)
			}
		}
		probe("startup", c.StartupProbe, "/live")
		probe("liveness", c.LivenessProbe, "/live")
		probe("readiness", c.ReadinessProbe, "/ready")
	}
	f("sidecar.yaml")
	f("standalone.yaml")
	f("replicas.yaml")
}

func TestThePodsMeetTheRestrictedStandard(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := admission.LevelVersion{Level: admission.LevelRestricted, Version: admission.LatestVersion()}
	f := func(file, container string) {
		t.Helper()
		m := load(t, file)
		if result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &m.pod.ObjectMeta, &m.pod.Spec)); !result.Allowed {
			t.Errorf("%s: %s", file, result.ForbiddenDetail())
		}
		if !*m.named(t, container).SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%s: the root file system is writable", file)
		}
		m.named(t, container).SecurityContext.AllowPrivilegeEscalation = nil
		if policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &m.pod.ObjectMeta, &m.pod.Spec)).Allowed {
			t.Error("a container that may gain privileges is allowed")
		}
	}
	f("sidecar.yaml", "sidehook")
	f("standalone.yaml", "sidehook")
	f("replicas.yaml", "sidehook")
	f("nats.yaml", "nats")
}

func TestTheStateBelongsToTheUserOfTheImage(t *testing.T) {
	f := func(file string) {
		t.Helper()
		m := load(t, file)
		group, user := m.pod.Spec.SecurityContext.FSGroup, m.pod.Spec.SecurityContext.RunAsUser
		if own := m.container(t).SecurityContext.RunAsUser; own != nil {
			user = own
		}
		if group == nil || *group != imageUser || user == nil || *user != imageUser {
			t.Errorf("%s: fsGroup is %v and runAsUser %v", file, group, user)
		}
		var config struct{ Retention struct{ Size string } }
		if err := yaml.Unmarshal([]byte(m.config.Data["config.yaml"]), &config); err != nil {
			t.Fatal(err)
		}
		if storage := m.claim.Resources.Requests.Storage(); config.Retention.Size != "2GB" || storage.Value() < 2*2_000_000_000 {
			t.Errorf("%s: the claim has %s for a retention.size of %s, want twice as much", file, storage, config.Retention.Size)
		}
	}
	f("sidecar.yaml")
	f("standalone.yaml")
	f("replicas.yaml")
}

// What a subPath mounts does not follow changes.
func TestWholeFoldersAreMounted(t *testing.T) {
	f := func(file string) {
		t.Helper()
		m := load(t, file)
		mounted := map[string]string{}
		for _, mount := range m.container(t).VolumeMounts {
			if mount.SubPath != "" || mount.SubPathExpr != "" {
				t.Errorf("%s: %s is mounted with a subPath", file, mount.MountPath)
			}
			mounted[mount.MountPath] = mount.Name
		}
		volumes := map[string]corev1.VolumeSource{}
		for _, volume := range m.pod.Spec.Volumes {
			volumes[volume.Name] = volume.VolumeSource
		}
		config, secrets := volumes[mounted["/etc/sidehook"]].ConfigMap, volumes[mounted["/run/secrets/sidehook"]].Secret
		if config == nil || config.Name != m.config.Name || secrets == nil || secrets.SecretName != "sidehook" || mounted["/var/lib/sidehook"] != "state" {
			t.Errorf("%s: mounted are %v of %v", file, mounted, volumes)
		}
		// The owner of the files is root, and the group is fsGroup.
		if mode := secrets.DefaultMode; mode == nil || *mode != 0o440 {
			t.Errorf("%s: the secrets have the mode %o", file, *mode)
		}
	}
	f("sidecar.yaml")
	f("standalone.yaml")
	f("replicas.yaml")
}

func TestKubernetesWaitsForTheStop(t *testing.T) {
	const stopTimeout = 25 * time.Second // the default
	f := func(file string) {
		t.Helper()
		m := load(t, file)
		grace := time.Duration(*m.pod.Spec.TerminationGracePeriodSeconds) * time.Second
		if strings.Contains(m.config.Data["config.yaml"], "stop_timeout") || grace <= stopTimeout {
			t.Errorf("%s: it is killed after %v, but may take %v to stop", file, grace, stopTimeout)
		}
	}
	f("sidecar.yaml")
	f("standalone.yaml")
	f("replicas.yaml")
}

// A state directory belongs to one process, unless there is a log for several.
func TestThereIsOnePodUnlessTheyShareALog(t *testing.T) {
	f := func(file string, want int32) {
		t.Helper()
		m := load(t, file)
		if sharesLog := strings.Contains(m.config.Data["config.yaml"], "replicas:"); m.pods != want || sharesLog != (want > 1) {
			t.Errorf("%s: there are %d pods, and a log %t", file, m.pods, sharesLog)
		}
	}
	f("sidecar.yaml", 1)
	f("standalone.yaml", 1)
	f("replicas.yaml", 3)
}

// A sidecar's probe that asked for the app would keep the app from starting.
func TestTheSidecarRunsAsLongAsTheApp(t *testing.T) {
	m := load(t, "sidecar.yaml")
	policy := m.container(t).RestartPolicy
	if policy == nil || *policy != corev1.ContainerRestartPolicyAlways {
		t.Errorf("the restart policy is %v: it is not a sidecar", policy)
	}
	if len(m.pod.Spec.InitContainers) != 1 || len(m.pod.Spec.Containers) != 1 || m.pod.Spec.Containers[0].Lifecycle.PreStop.Sleep == nil {
		t.Error("the app ends before the Service has withdrawn the pod")
	}
}

func TestTheConfigMapIsValidAndTakesEffectWhenKubernetesSwapsIt(t *testing.T) {
	f := func(file, app string) {
		t.Helper()
		t.Run(file, func(t *testing.T) {
			server := httptest.NewServer(http.NotFoundHandler())
			defer server.Close()
			folder, free := t.TempDir(), freeAddresses(t, 2)
			listen, admin := free[0], free[1]
			text := load(t, file).config.Data["config.yaml"]
			if !strings.Contains(text, app) {
				t.Fatalf("the app is not %s in\n%s", app, text)
			}
			text = strings.NewReplacer(app, server.URL, "/var/lib/sidehook", folder+"/state", "/run/secrets/sidehook", folder+"/secrets").Replace(text)
			text = "listen: " + listen + "\nadmin: " + admin + "\n" + text
			write(t, folder+"/secrets/crm", secret+"\n")
			swap(t, folder+"/config", "1", text)

			path := folder + "/config/config.yaml"
			if out, err := sidehook(t, "check", path); err != nil {
				t.Fatalf("check: %v\n%s", err, out)
			}
			program, _ := binary()
			start(t, exec.Command(program, "run", path))
			await(t, "http://"+admin+"/ready", func(status int, body string) bool { return status == http.StatusOK && body == "ok\n" })
			await(t, "http://"+admin+"/live", func(status int, _ string) bool { return status == http.StatusOK })
			swap(t, folder+"/config", "2", strings.ReplaceAll(text, "crm:\n", "renamed:\n")[:strings.Index(text, "rules:")+len("renamed")-len("crm")]+"rules: [{to: [renamed]}]\n")
			await(t, "http://"+admin+"/configuration", func(status int, body string) bool {
				return status == http.StatusOK && strings.Contains(body, "renamed")
			})
		})
	}
	f("sidecar.yaml", "http://127.0.0.1:5000")
	f("standalone.yaml", "http://decsys:80")
	f("replicas.yaml", "http://decsys:80")
}

// swap puts a configuration into a folder as the kubelet does.
func swap(t *testing.T, folder, version, config string) {
	t.Helper()
	write(t, filepath.Join(folder, ".."+version, "config.yaml"), config)
	if err := os.Symlink(".."+version, filepath.Join(folder, "..data_tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "..data_tmp"), filepath.Join(folder, "..data")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(folder, "config.yaml")); err != nil {
		if err := os.Symlink("..data/config.yaml", filepath.Join(folder, "config.yaml")); err != nil {
			t.Fatal(err)
		}
	}
}

// container returns the container of sidehook.
func (m *manifest) container(t *testing.T) *corev1.Container {
	t.Helper()
	return m.named(t, "sidehook")
}

func (m *manifest) named(t *testing.T, name string) *corev1.Container {
	t.Helper()
	for _, list := range [][]corev1.Container{m.pod.Spec.InitContainers, m.pod.Spec.Containers} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	t.Fatalf("no container is called %s", name)
	return nil
}

func load(t *testing.T, file string) *manifest {
	t.Helper()
	m := &manifest{}
	for document := range strings.SplitSeq(read(t, filepath.Join("kubernetes", file)), "\n---\n") {
		object, err := decode(document)
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, document)
		}
		m.add(t, object)
	}
	return m
}

func (m *manifest) add(t *testing.T, object runtime.Object) {
	t.Helper()
	switch o := object.(type) {
	case *corev1.ConfigMap:
		m.config = o
	case *corev1.PersistentVolumeClaim:
		m.claim = o.Spec
	case *corev1.Service:
		m.service = o
	case *appsv1.Deployment:
		m.pod, m.workload, m.pods = o.Spec.Template, o.Spec.Selector, *o.Spec.Replicas
		if o.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
			t.Error("two pods of the Deployment can run at once")
		}
	case *appsv1.StatefulSet:
		m.pod, m.workload, m.claim = o.Spec.Template, o.Spec.Selector, o.Spec.VolumeClaimTemplates[0].Spec
		m.pods = *o.Spec.Replicas
	case *policyv1.PodDisruptionBudget:
		m.disruption = o
	case *networkingv1.NetworkPolicy:
		m.networkPolicy = o
	case *monitoringv1.PodMonitor:
		m.podMonitor = o
	default:
		t.Errorf("nothing checks a %T", object)
	}
}

// decode decodes an object strictly: unknown and repeated keys are errors.
func decode(document string) (runtime.Object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, policyv1.AddToScheme, networkingv1.AddToScheme, monitoringv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	object, _, err := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer().Decode([]byte(document), nil, nil)
	return object, err
}
