package demo

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestTheAppOfTheDemoIsServedAloneUntilTheEnd(t *testing.T) {
	folder := temporaryFolder(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	command := Command(Parts{Run: func(context.Context, context.Context, Sidecar) error {
		t.Error("a sidecar is run")
		return nil
	}})
	reader, out := io.Pipe()
	command.SetOut(out)
	command.SetArgs([]string{"--app", "127.0.0.1:0"})
	ended := make(chan error, 1)
	go func() { ended <- command.ExecuteContext(ctx) }()

	printed := make([]byte, 200)
	n, err := reader.Read(printed)
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSuffix(strings.Fields(string(printed[:n]))[5], ".")
	response, err := http.Get("http://" + address + "/survey/fzd")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the survey's page is %s", response.Status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v (%v)", left, err)
	}
}
