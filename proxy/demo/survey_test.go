package demo_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/proxy/demo"
)

func TestLibrarySurveyIsWellFormed(t *testing.T) {
	survey := demo.Library()
	if survey.ID != 5 || survey.Instance != 3 {
		t.Errorf("the survey is %d/%d, want 5/3 for the friendly id fzd", survey.ID, survey.Instance)
	}
	seen := map[string]bool{}
	isNew := func(id string) bool { defer func() { seen[id] = true }(); return len(id) == 36 && !seen[id] }
	for i, page := range survey.Pages {
		if page.Order != i+1 || page.Name == nil || *page.Name == "" || !isNew(page.ID) {
			t.Errorf("page %d is %+v", i+1, page)
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
		t.Error("no page requires an answer, so no navigation can be refused")
	}
}

func TestPageWithoutANameHasANullName(t *testing.T) {
	survey := demo.Library()
	survey.Pages[0].Name = nil
	base := serve(t, demo.Options{Survey: survey})
	progress := do(t, base, "GET", "/api/progress/5/3/ann", "").Response
	if !strings.Contains(progress, `"name":null`) {
		t.Errorf("the progress is %s", progress)
	}
	do(t, base, "POST", "/api/log/3/ann/"+survey.Pages[0].ID+"/decsys.platform.PAGE_LOAD", `{}`)
	summary := do(t, base, "GET", "/api/log/3/ann/summary", "").Response
	if !strings.Contains(summary, `"pageName":null`) {
		t.Errorf("the summary is %s", summary)
	}
}
