package config

import (
	"strings"
	"testing"
)

func TestWhenThatCanNeverHoldIsRefusedWithTheRightSpelling(t *testing.T) {
	f := func(when, want string) {
		t.Helper()
		if err := CheckWhen(when); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", when, err, want)
		}
	}
	f("data.completed", "write completed, not data.completed")
	f("Completed", "did you mean \"completed\"?")
	f("!completed", "cannot be negated")
	f("not completed", "no blanks")
	f("completed == true", "write completed")
	f("completed==true", "write completed")
	f("$.completed", "write completed, not $.completed")
	f("responses[0].response", "an item of a list is .0")
	f("participant_id", "write participant.id")
	f("participant.name", "participant has id, started")
	f("from.title", "from has id, number, position, name")
	f("from.name==Consent", "write completed, or compare within a query")
	f(`responses.#(page==1 && page_name=="Consent").response`, "chain queries")
	f("completed && recovered", "one rule has one when")
	f("completed || recovered", "write two rules")
	f("!true", "cannot be negated")
	f("answers.0", "there are completed, from")
	f("responses.#(page==1", "never closed")
}

func TestWhenThatMayHoldIsAccepted(t *testing.T) {
	for _, when := range []string{
		"completed", "responses.#(page==1).response.confirmed", `responses.#(page_name=="a && b")#.response`, `responses.#(state!="skipped")#`,
		"responses.0.response", "responses.#.response", "responses|@reverse|0", "@this", "{completed,partial}", "survey.friendly_id", "from.name", "to",
		`responses.#(response.text%"*a b*").page`, `responses.#(question=="a \" (b) = ! $")`, "page_count", "responses.#",
		`responses.#(response.a\.b=="x")`, "resp*.0",
	} {
		if err := CheckWhen(when); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
}
