package rules

import (
	"fmt"
	"strings"
	"testing"
)

func TestPageCacheIsBounded(t *testing.T) {
	store, cache := NewJourneysInMemory(), &PageCache{}
	question := strings.Repeat("q", maxCachedBytes/10)
	for n := range 25 {
		name, _ := store.PutPage([]byte(fmt.Sprintf(`{"id":"%d","question":"%s"}`, n, question)))
		for range 2 {
			if page := cache.page(store, name); page == nil || page.ID != fmt.Sprint(n) {
				t.Fatalf("page %d is %+v", n, page)
			}
		}
		if len(cache.pages) > 10 {
			t.Fatalf("%d pages are cached", len(cache.pages))
		}
	}
	if cache.page(store, "lost") != nil {
		t.Error("a lost page is found")
	}
}
