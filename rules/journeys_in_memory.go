package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// JourneysInMemory implements Journeys. It is not safe for concurrent use.
type JourneysInMemory struct {
	heads map[Key][]byte
	parts map[Key]map[string][]byte
	pages map[string][]byte
}

// NewJourneysInMemory returns an empty store.
func NewJourneysInMemory() *JourneysInMemory {
	return &JourneysInMemory{heads: map[Key][]byte{}, parts: map[Key]map[string][]byte{}, pages: map[string][]byte{}}
}

// Head implements Journeys.
func (m *JourneysInMemory) Head(key Key) []byte { return m.heads[key] }

// PutHead implements Journeys.
func (m *JourneysInMemory) PutHead(key Key, head []byte, _ Mark) { m.heads[key] = head }

// Drop implements Journeys.
func (m *JourneysInMemory) Drop(key Key) {
	delete(m.heads, key)
	delete(m.parts, key)
}

// Part implements Journeys.
func (m *JourneysInMemory) Part(key Key, name string) []byte { return m.parts[key][name] }

// PutPart implements Journeys.
func (m *JourneysInMemory) PutPart(key Key, name string, part []byte) {
	switch {
	case part == nil:
		delete(m.parts[key], name)
	case m.parts[key] == nil:
		m.parts[key] = map[string][]byte{name: part}
	default:
		m.parts[key][name] = part
	}
}

// Parts implements Journeys.
func (m *JourneysInMemory) Parts(key Key, prefix string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m.parts[key])), func(name string) bool { return !strings.HasPrefix(name, prefix) })
}

// Page implements Journeys.
func (m *JourneysInMemory) Page(name string) []byte { return m.pages[name] }

// PutPage implements Journeys.
func (m *JourneysInMemory) PutPage(definition []byte) (name string, isKept bool) {
	sum := sha256.Sum256(definition)
	name = hex.EncodeToString(sum[:16])
	m.pages[name] = definition
	return name, true
}
