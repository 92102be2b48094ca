package demo

import (
	"bytes"
	"regexp"
	"testing"
)

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
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

func TestPageHasAWidgetForEveryItemOfTheSurvey(t *testing.T) {
	for _, page := range Library().Pages {
		if item := page.response(); !bytes.Contains(index, []byte("'"+item.Type+"'")) {
			t.Errorf("the page has no widget for %q of page %s", item.Type, page.ID)
		}
	}
}
