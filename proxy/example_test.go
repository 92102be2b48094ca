package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sidehook/sidehook/proxy"
	"github.com/sidehook/sidehook/rules"
)

// apiWatcher prints the exchanges below /api/.
type apiWatcher struct{}

func (apiWatcher) Begin(method, target []byte) (end func(rules.Exchange)) {
	if !strings.HasPrefix(string(target), "/api/") {
		return nil
	}
	request := fmt.Sprintf("%s %s", method, target)
	return func(x rules.Exchange) { fmt.Println("watched:", request, x.Status, string(x.ResponseBody)) }
}

func Example() {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "the app got ", r.URL.Path)
	}))
	defer app.Close()

	p, err := proxy.New(proxy.Config{Listen: "127.0.0.1:0", App: app.URL, Watcher: apiWatcher{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := p.Listen(); err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()

	for _, path := range []string{"/page", "/api/progress"} {
		response, err := http.Get("http://" + p.Addr().String() + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		fmt.Println("participant:", string(body))
	}
	http.DefaultClient.CloseIdleConnections()
	fmt.Println("shut down:", p.Shutdown(context.Background()), <-served)
	// Output:
	// participant: the app got /page
	// watched: GET /api/progress 200 the app got /api/progress
	// participant: the app got /api/progress
	// shut down: <nil> <nil>
}
