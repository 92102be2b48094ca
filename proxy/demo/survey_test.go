package demo_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/sidehook/sidehook/proxy/demo"
)

func TestTheLibrarySurveyIsWellFormed(t *testing.T) {
	survey := demo.Library()
	if survey.ID != 5 || survey.Instance != 3 {
		t.Errorf("the survey is %d/%d, want 5/3 for the friendly id fzd", survey.ID, survey.Instance)
	}
	seen := map[string]bool{}
	isNew := func(id string) bool { defer func() { seen[id] = true }(); return len(id) == 36 && !seen[id] }
	for i, page := range survey.Pages {
		if page.Order != i+1 || page.Name == "" || !isNew(page.ID) {
			t.Errorf("page %d has the number %d, name %q and id %s", i+1, page.Order, page.Name, page.ID)
		}
		questions := 0
		for j, c := range page.Components {
			if c.Order != j+1 || !isNew(c.ID) || !json.Valid(c.Params) {
				t.Errorf("page %d, item %d has the number %d, id %s and params %s", i+1, j+1, c.Order, c.ID, c.Params)
			}
			if c.IsQuestionItem {
				questions++
			}
		}
		if questions != 1 {
			t.Errorf("page %d has %d questions, want 1", i+1, questions)
		}
	}
	isMandatory := func(p demo.Page) bool { return !p.Components[len(p.Components)-1].IsOptional }
	if !slices.ContainsFunc(survey.Pages, isMandatory) {
		t.Error("no page must be answered, so that nobody can see a refused navigation")
	}
}
