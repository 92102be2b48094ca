package demo_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/sidehook/sidehook/proxy/demo"
)

func ExampleNew() {
	app := httptest.NewServer(demo.New(demo.Options{NewID: func() string { return "2f0c3b1e-6a53-4c0e-9a44-7d2c9b5d1e10" }}))
	defer app.Close()
	response, err := http.Get(app.URL + "/api/progress/5/3")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	fmt.Printf("%s", body)
	// Output: {"surveyId":5,"instanceId":3,"participantId":null,"newParticipantId":"2f0c3b1e-6a53-4c0e-9a44-7d2c9b5d1e10","page":null,"isLastPage":false,"pageCount":5,"useParticipantIdentifiers":false,"settings":{}}
}
