package recordings

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules/trial"
)

// askDeadline bounds one request of a participant.
const askDeadline = 30 * time.Second

// ask sends a recorded request to address as it was sent then, byte for byte
// but for the header that tells the App which one it is, and checks that the
// answer is the recorded one.
func ask(address string, index int, one trial.Recorded) error {
	got, err := send(address, strconv.Itoa(index), one)
	if err != nil {
		return err
	}
	return sameAnswer(one, got)
}

// answer is what a participant got.
type answer struct {
	status int
	coding string
	body   []byte
}

// send sends a request and reads the whole answer.
func send(address, index string, one trial.Recorded) (answer, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(askDeadline)); err != nil {
		return answer{}, err
	}
	if _, err := conn.Write(requestBytes(index, one)); err != nil {
		return answer{}, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: one.Method})
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("Content-Encoding"), body}, err
}

// errAnswer tells a wrong answer from none.
var errAnswer = errors.New("the participant got another answer than the app gave")

func sameAnswer(one trial.Recorded, got answer) error {
	if got.status != one.Exchange.Status {
		return fmt.Errorf("%w: status %d, want %d", errAnswer, got.status, one.Exchange.Status)
	}
	if one.Method == http.MethodHead || one.Exchange.Status == http.StatusNoContent {
		return nil
	}
	if want := encode(got.coding, one.Exchange.ResponseBody); !bytes.Equal(got.body, want) {
		return fmt.Errorf("%w: %d bytes, want %d", errAnswer, len(got.body), len(want))
	}
	return nil
}

func requestBytes(index string, one trial.Recorded) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", one.Method, one.Target)
	for _, header := range one.RequestHeaders {
		if !strings.EqualFold(header[0], "Content-Length") {
			fmt.Fprintf(&b, "%s: %s\r\n", header[0], header[1])
		}
	}
	if one.Method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(one.Exchange.RequestBody))
	}
	fmt.Fprintf(&b, "%s: %s\r\n\r\n", indexHeader, index)
	b.Write(one.Exchange.RequestBody)
	return b.Bytes()
}
