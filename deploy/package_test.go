package deploy

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/sassoftware/go-rpmutils"
)

// installation is run by a shell in a copy of this machine's root that is thrown
// away; $1 is the package.
const installation = `
set -e
dpkg --install "$1" >/dev/null
sidehook version
stat -c '%U:%G %a %n' /var/lib/sidehook /etc/sidehook /etc/sidehook/secrets /usr/bin/sidehook
sed -n 's/^sidehook:x:[0-9]*:[0-9]*:\([^:]*\):\(.*\)/\1\2/p' /etc/passwd

unit=/usr/lib/systemd/system/sidehook.service
if command -v systemd-analyze >/dev/null; then
  systemd-analyze verify --man=no $unit
  systemd-analyze security --offline=true --threshold=15 --no-pager $unit >/tmp/exposure || tail -n 1 /tmp/exposure
fi

cat >/etc/sidehook/config.yaml <<'CONFIG'
app: http://127.0.0.1:9
listen: 127.0.0.1:0
admin: 127.0.0.1:0
targets: {crm: {url: 'http://127.0.0.1:9', secret: file:secrets/crm}}
rules: [{to: [crm]}]
CONFIG
install -m 0640 -g sidehook /dev/null /etc/sidehook/secrets/crm
echo whsec_c2VjcmV0cyBvZiB0ZXN0cyBhcmUga25vd24= >/etc/sidehook/secrets/crm
setpriv --reuid sidehook --regid sidehook --clear-groups --no-new-privs \
  $(sed -n 's/^ExecStart=//p' $unit) 2>/tmp/log &
tail --pid=$! -n +1 -F /tmp/log 2>/dev/null | sed -n '/serving participants/{s/.*msg=//;s/ address.*//;p;q}'
kill -INT $!
wait $!
test -f /var/lib/sidehook/outbox.db && echo recorded

dpkg --install "$1" >/dev/null
dpkg --remove sidehook >/dev/null
ls -d /usr/bin/sidehook $unit /var/lib/sidehook/outbox.db /etc/sidehook/config.yaml 2>/dev/null || true
`

func TestThePackageIsInstalledRunsAndGoesButLeavesTheState(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can install a package")
	}
	for _, program := range []string{"unshare", "dpkg", "setpriv"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s here", program)
		}
	}
	pack := released(t, "amd64.deb")
	const noOverlay = 77
	script := `set -e
mount -t tmpfs tmpfs "$1" || exit 77
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root" || exit 77
mount --rbind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/tmp"
mount -t tmpfs tmpfs "$1/root/run"
cp "$2" "$1/root/tmp/sidehook.deb"
chroot "$1/root" sh -c "$3" sh /tmp/sidehook.deb`
	out, err := exec.CommandContext(t.Context(), "unshare", "--mount", "bash", "-c", script, "bash", t.TempDir(), pack, installation).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == noOverlay {
		t.Skipf("a copy of the root cannot be mounted here: %s", out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	version, rest, _ := strings.Cut(string(out), "\n")
	const want = `sidehook:sidehook 700 /var/lib/sidehook
root:root 755 /etc/sidehook
root:sidehook 750 /etc/sidehook/secrets
root:root 755 /usr/bin/sidehook
/var/lib/sidehook:/usr/sbin/nologin
"serving participants"
recorded
/etc/sidehook/config.yaml
/var/lib/sidehook/outbox.db
`
	if !strings.HasPrefix(version, "sidehook version "+testVersion) || rest != want {
		t.Errorf("%s\n%s\nwant\n%s", version, rest, want)
	}
}

func TestTheRPMHasTheFilesOfTheDeb(t *testing.T) {
	for _, architecture := range []string{"amd64", "arm64"} {
		file, err := os.Open(released(t, architecture+".rpm"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		rpm, err := rpmutils.ReadRpm(file)
		if err != nil {
			t.Fatal(err)
		}
		infos, err := rpm.Header.GetFiles()
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, info := range infos {
			files = append(files, info.Name())
		}
		slices.Sort(files)
		want := []string{
			"/etc/sidehook", "/usr/bin/sidehook", "/usr/lib/systemd/system/sidehook.service", "/usr/share/doc/sidehook/alerts.yaml",
			"/usr/share/doc/sidehook/config.example.yaml", "/usr/share/doc/sidehook/copyright", "/usr/share/doc/sidehook/grafana.json",
		}
		if !slices.Equal(files, want) {
			t.Errorf("the rpm has %q, want %q", files, want)
		}
		machine, err := rpm.Header.GetString(rpmutils.ARCH)
		if wanted := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[architecture]; err != nil || machine != wanted {
			t.Errorf("the rpm is for %q, want %s (%v)", machine, wanted, err)
		}
		out, err := exec.CommandContext(t.Context(), "dpkg-deb", "--fsys-tarfile", released(t, architecture+".deb")).Output()
		if err != nil {
			t.Skipf("there is no dpkg-deb here: %v", err)
		}
		for _, name := range want {
			if !strings.Contains(string(out), "."+name) {
				t.Errorf("the deb lacks %s", name)
			}
		}
	}
}
