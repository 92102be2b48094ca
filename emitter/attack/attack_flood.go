package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// floodConns is how many connections a flood has.
const floodConns = 32

// floodAttacks send many requests that cost little to send.
func floodAttacks() []attack { return slices.Concat(journeyFloods(), idFloods()) }

// journeyFloods are those of one participant.
func journeyFloods() []attack {
	return []attack{
		{name: "heavy-journey", play: func(b *battle) error {
			b.hoard(4, largeAnswer)
			b.flood(floodConns, b.pick(3000, 20_000), func(int) request { return load(navigator) })
			return nil
		}},
		{name: "many-items", play: func(b *battle) error {
			b.hoard(0, 0)
			b.flood(floodConns, b.pick(1000, 20_000), func(i int) request { return answer(navigator, fmt.Sprint("item", i), 100) })
			return nil
		}},
		{name: "same-answer-again", play: func(b *battle) error {
			b.hoard(0, 0)
			b.flood(floodConns, b.pick(200, 2000), func(int) request { return answer(navigator, itemOf(0), 100_000) })
			return nil
		}},
		{name: "alternating-sizes", play: func(b *battle) error {
			b.hoard(0, 0)
			b.flood(8, b.pick(100, 400), func(i int) request {
				return answer(navigator, itemOf(0), []int{20, largeAnswer / 2}[i%2])
			})
			return nil
		}},
	}
}

// idFloods are those in the names of many participants.
func idFloods() []attack {
	return []attack{
		{name: "many-ids", play: func(b *battle) error {
			b.flood(floodConns, b.pick(1500, 30_000), func(i int) request { return show(fmt.Sprint(navigator, i)) })
			return nil
		}},
		{name: "many-ids-beside-own-ids", setup: setup{honestHaveOwnIDs: true}, play: func(b *battle) error {
			b.flood(floodConns, b.pick(2000, 30_000), func(i int) request { return show(fmt.Sprint(navigator, i)) })
			return nil
		}},
		{name: "long-ids", play: func(b *battle) error {
			long := strings.Repeat("i", 40<<10)
			b.flood(floodConns, b.pick(300, 3000), func(i int) request {
				id := fmt.Sprint(discarded, i, long)
				return []request{show(id), load(id), answer(id, "item", 20)}[i%3]
			})
			return nil
		}},
		{name: "every-route", play: func(b *battle) error {
			b.flood(floodConns, b.pick(2000, 40_000), everyRoute)
			return nil
		}},
		{name: "killed-in-a-flood", play: func(b *battle) error {
			b.hoard(1, 60_000)
			for range b.pick(2, 10) {
				b.flood(floodConns, b.pick(500, 5000), everyRoute)
				if err := b.restart(true, func() error { return nil }); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// hoard begins the journey of an attacker, who loads and answers the first n pages.
func (b *battle) hoard(n, size int) {
	b.flood(1, 2*n+1, func(i int) request {
		page := (i - 1) / 2
		switch {
		case i == 0:
			return show(navigator)
		case i%2 == 1:
			return loadPage(navigator, page)
		default:
			return answer(navigator, itemOf(page), size)
		}
	})
}

// everyRoute takes each route of the profile in turn, with few and with many
// participants, and what has none.
func everyRoute(i int) request {
	few, fresh := fmt.Sprint(navigator, i/10%50), fmt.Sprint(discarded, i)
	return []request{
		show(few), load(few), answer(few, itemOf(0), 200), next(few),
		{method: http.MethodGet, path: progressPath("")},
		answer(fresh, "item", 200), load(fresh), next(fresh),
		{method: http.MethodGet, path: "/api/progress/fzd/" + fresh},
		{method: http.MethodPost, path: "/api/progress/fzd/" + fresh + "/next", body: []byte("?")},
	}[i%10]
}
