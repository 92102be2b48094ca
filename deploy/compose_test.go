package deploy

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// token opens the admin listener in tests.
const token = "a token of tests is known"

func TestTheServicesOfComposeHaveWhatTheyNeed(t *testing.T) {
	services := loadCompose(t, "compose.yaml").Services
	s := services["sidehook"]
	if grace := time.Duration(*s.StopGracePeriod); grace <= 25*time.Second {
		t.Errorf("sidehook is killed after %v, but may take 25s to stop", grace)
	}
	if s.MemLimit < 256<<20 || s.Ulimits["nofile"].Single != 65536 {
		t.Errorf("sidehook has %d bytes of memory, and %v open files", s.MemLimit, s.Ulimits["nofile"])
	}
	var mounted []string
	for _, volume := range s.Volumes {
		mounted = append(mounted, volume.Target)
		if info, err := os.Stat(volume.Source); volume.Type == types.VolumeTypeBind && (err != nil || !info.IsDir()) {
			t.Errorf("%s is no folder (%v), so a change would not be seen", volume.Source, err)
		}
	}
	if !slices.Equal(mounted, []string{"/etc/sidehook", "/var/lib/sidehook"}) {
		t.Errorf("mounted are %v", mounted)
	}
	for name, service := range services {
		if !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) {
			t.Errorf("%s can write to its root, or keeps capabilities", name)
		}
		if name != "sidehook" && len(service.Ports) > 0 {
			t.Errorf("%s can be reached past sidehook", name)
		}
	}
	// From outside of this machine nobody can try tokens.
	if admin := s.Ports[1]; admin.Target != 9090 || admin.HostIP != "127.0.0.1" {
		t.Errorf("the admin port is published as %+v", admin)
	}
}

// The commands of the services run as processes, at other ports.
func TestTheServicesOfComposeWorkTogether(t *testing.T) {
	services := loadCompose(t, "compose.yaml").Services
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	free := freeAddresses(t, 3)
	folder, listen, admin, app := t.TempDir(), free[0], free[1], free[2]
	run := func(service string, args ...string) *lines {
		t.Helper()
		cmd := exec.Command(program, args...)
		for name, value := range services[service].Environment {
			cmd.Env = append(cmd.Env, name+"="+*value)
		}
		return start(t, cmd)
	}
	printed := run("receiver", append(services["receiver"].Command, "--port", "0")...)
	receiver := awaitPrinted(t, printed, regexp.MustCompile(`http://127\S+:\d+`))
	config := strings.NewReplacer("app:5000", app, "http://127.0.0.1:8787", receiver).Replace(read(t, "compose/config.yaml"))
	write(t, folder+"/config.yaml", config+fmt.Sprintf("listen: %s\nadmin: %s\nstate: state\n", listen, admin))
	run("app", strings.Split(strings.ReplaceAll(strings.Join(services["app"].Command, " "), ":5000", app), " ")...)
	run("sidehook", "run", folder+"/config.yaml")
	await(t, "http://"+admin+"/ready", func(status int, _ string) bool { return status == http.StatusOK })
	takeFirstPage(t, listen)
	await(t, "http://"+admin+"/metrics", func(_ int, body string) bool {
		return strings.Contains(body, `sidehook_deliveries_total{outcome="delivered",target="crm"} 1`)
	})
	if !strings.Contains(printed.String(), "verified") {
		t.Errorf("the receiver prints %q", printed)
	}
}

// takeFirstPage has a participant answer the first page of the demo's survey, and
// leave it.
func takeFirstPage(t *testing.T, address string) {
	t.Helper()
	ask := func(method, path, body string) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+"/api/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		status, answer, err := do(request)
		if err != nil || status/100 != 2 {
			t.Fatalf("%s %s: %d %s (%v)", method, path, status, answer, err)
		}
		return answer
	}
	find := func(pattern, in string) string {
		t.Helper()
		match := regexp.MustCompile(pattern).FindStringSubmatch(in)
		if match == nil {
			t.Fatalf("no %s in %s", pattern, in)
		}
		return match[1]
	}
	id := find(`"newParticipantId":"([^"]+)"`, ask(http.MethodGet, "progress/5/3/", ""))
	page := ask(http.MethodGet, "progress/5/3/"+id, "")
	item := find(`"type":"Confirmation","order":\d+,"id":"([^"]+)"`, page)
	ask(http.MethodPost, "log/3/"+id+"/"+find(`"page":\{"id":"([^"]+)"`, page)+"/decsys.platform.PAGE_LOAD", "{}")
	ask(http.MethodPost, "log/3/"+id+"/"+item+"/decsys.platform.COMPONENT_RESULTS", `{"confirmed":true}`)
	ask(http.MethodPost, "progress/5/3/"+id+"/next", "")
}

func loadCompose(t *testing.T, file string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv([]string{"CRM_SECRET=" + secret, "ADMIN_TOKEN=" + token}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}
