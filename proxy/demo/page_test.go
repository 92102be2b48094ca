package demo

import (
	"bytes"
	"regexp"
	"testing"
)

func TestThePageNeedsNothingFromElsewhere(t *testing.T) {
	if bytes.Contains(index, []byte("://")) {
		t.Error("the page names a URL of another host")
	}
	elsewhere := regexp.MustCompile(`(src|href)="[^"]*"|@import|url\(`)
	for _, found := range elsewhere.FindAll(index, -1) {
		if string(found) != `href="data:,"` {
			t.Errorf("the page loads %s", found)
		}
	}
}

// The page and the app meet at a few names; this keeps them the same.
func TestThePageCanAnswerEveryItemOfTheSurvey(t *testing.T) {
	for _, page := range Library().Pages {
		if item := page.response(); !bytes.Contains(index, []byte("'"+item.Type+"'")) {
			t.Errorf("the page has no way to answer %q of page %s", item.Type, page.Name)
		}
	}
}
