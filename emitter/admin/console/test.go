package console

import (
	"net/http"
	"net/url"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/sample"
	"github.com/sidehook/sidehook/rules/config"
)

// testData is the content of the page that sends test events.
type testData struct {
	// Targets can be sent to, and Events are what there are samples of.
	Targets []string
	Events  []config.EventName
	// Target and Event are what was sent, and Answer is what came of it, nil before.
	Target, Event string
	Answer        *sample.Answer
	// Problem is why nothing was sent.
	Problem string
}

func (c *Console) testForm(w http.ResponseWriter, r *http.Request) {
	c.showTest(w, r, testData{Target: r.URL.Query().Get("target")})
}

// test sends a test event and shows the answer.
func (c *Console) test(w http.ResponseWriter, r *http.Request) {
	data := testData{Target: r.PostForm.Get("target"), Event: r.PostForm.Get("event")}
	var answer sample.Answer
	err := c.api.post(r, "/targets/"+url.PathEscape(data.Target)+"/test", url.Values{"event": {data.Event}}, &answer)
	if err != nil {
		data.Problem = err.Error()
	} else {
		data.Answer = &answer
	}
	c.showTest(w, r, data)
}

func (c *Console) showTest(w http.ResponseWriter, r *http.Request, data testData) {
	var targets []admin.Target
	if err := c.api.get(r, "/targets", nil, &targets); err != nil {
		c.fail(w, r, err)
		return
	}
	data.Targets, data.Events = configured(targets), sample.Names
	c.render(w, r, http.StatusOK, "test", "Test", func(p *page) string { return testPage(p, &data) })
}

// configured returns the names of the targets that can be sent to.
func configured(targets []admin.Target) (names []string) {
	for i := range targets {
		if targets[i].Host != "" {
			names = append(names, targets[i].Name)
		}
	}
	return names
}
