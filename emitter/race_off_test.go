//go:build !race

package emitter

const underRace = false
