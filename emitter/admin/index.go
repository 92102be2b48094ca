package admin

import (
	"fmt"
	"net/http"
)

// indexPage links to what can be looked at with a browser.
const indexPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>sidehook</title>
<h1>sidehook</h1>
<ul>
<li><a href="/live">/live</a>: the process runs
<li><a href="/ready">/ready</a>: participants are served
<li><a href="/metrics">/metrics</a>: metrics for Prometheus
<li><a href="/targets">/targets</a>: status of the targets (from loopback, or with the admin_token)
<li><a href="/deliveries">/deliveries</a>: deliveries, latest first (from loopback, or with the admin_token)
</ul>
</html>
`

func (a *Admin) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, indexPage)
}
