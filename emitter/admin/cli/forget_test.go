package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
)

func TestForgetErasesAParticipant(t *testing.T) {
	s := newServer(t)
	s.stdin = "p-1\nmore"
	s.expect("forget p-1", "erased: 1 journey with 2 answers; deliveries: 3 pending, 0 dead, 0 delivered")
	s.expect("forget - --survey fzd --json", `{"journeys":1,"answers":2,"pending":3,"dead":0,"delivered":0}`)
	s.forgetErr = outbox.ErrBusy
	s.expect("forget p-1", "in progress")
	s.expect("forget", "usage: sidehook forget PARTICIPANT")
	s.stdin = "\n"
	s.expect("forget -", "the participant's id is empty")
	if got := strings.Join(s.forgotten, ","); got != "p-1 ,p-1 fzd,p-1 " {
		t.Errorf("forgotten are %q", got)
	}
}

func TestForgettingAnUnknownParticipantIsReportedWithExitCode3(t *testing.T) {
	s := newServer(t)
	s.erased = record.Forgotten{}
	for _, line := range []string{"forget typo", "forget typo --json"} {
		out, err := s.run(line)
		var coder interface{ ExitCode() int }
		if !errors.As(err, &coder) || coder.ExitCode() != 3 || err.Error() != "nothing is stored about this participant" {
			t.Errorf("%s: %v", line, err)
		}
		if strings.Contains(out, "erased") {
			t.Errorf("%s prints %q", line, out)
		}
	}
}
