package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/valyala/fasthttp"
)

// pages is how many pages the survey has.
const pages = 12

// answerText is a free text as people write them; it makes a webhook about 1 KiB long.
var answerText = strings.Repeat("The bus was late again. ", 24)

// survey is an app that speaks as Decsys does, as far as this bench needs it.
type survey struct {
	mu sync.Mutex
	at map[string]int
}

func (s *survey) answer(ctx *fasthttp.RequestCtx) {
	path := strings.Split(string(ctx.Path()), "/")
	if path[2] == "log" {
		ctx.SetStatusCode(http.StatusNoContent)
		return
	}
	participant := path[5]
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.IsPost() {
		s.at[participant]++
	}
	ctx.SetContentType("application/json; charset=utf-8")
	ctx.SetBody(shown(participant, s.at[participant]))
}

// shown is the app's answer to whoever is on page n, from 0.
func shown(participant string, n int) []byte {
	page := "null"
	if n < pages {
		page = fmt.Sprintf(`{"id":"page-%d","order":%d,"name":"Page %d","randomize":false,"components":[`+
			`{"id":"heading-%d","type":"heading","isQuestionItem":true,"params":{"text":"What about part %d of your journey?"}},`+
			`{"id":"item-%d","type":"FreeText","isOptional":true,"params":{"maxLength":2000,"initialText":""}}]}`, n, n+1, n+1, n, n+1, n)
	}
	return fmt.Appendf(nil, `{"surveyId":7,"instanceId":7,"participantId":%q,"newParticipantId":null,"pageCount":%d,"page":%s}`, participant, pages, page)
}

// participantID is the n-th participant's, spread as random ids are.
func participantID(n int) string {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func pathOf(participant string) string { return "/api/progress/7/7/" + participant }

func nextPath(participant string) string { return pathOf(participant) + "/next" }

func loadPath(participant string, n int) string {
	return fmt.Sprintf("/api/log/7/%s/page-%d/decsys.platform.PAGE_LOAD", participant, n)
}

func answerPath(participant string, n int) string {
	return fmt.Sprintf("/api/log/7/%s/item-%d/decsys.platform.COMPONENT_RESULTS", participant, n)
}

func answerBody() []byte { return fmt.Appendf(nil, `{"value":%q}`, answerText) }
