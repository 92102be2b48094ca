package bodies

import (
	"bytes"
	"fmt"
	"slices"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxNodes bounds the tree that a page becomes, in elements, texts and attributes.
const maxNodes = 100_000

// errNodes means that the tree of a page would be too large.
var errNodes = fmt.Errorf("is HTML of more than %d elements and attributes", maxNodes)

const (
	// sameFormatting is how many equal formatting elements the parser opens again
	// (HTML Standard, section 13.2.4.3).
	sameFormatting = 3
	// misnestedCopies is how many elements the parser makes at most of a formatting
	// element that does not end where it should (section 13.2.6.4.7).
	misnestedCopies = 32
	// maxOpen bounds the elements whose ends are waited for.
	maxOpen = 512
)

// formatting are the elements that the parser opens again in each block until they end.
var formatting = []atom.Atom{
	atom.A, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Nobr, atom.S, atom.Small, atom.Strike, atom.Strong, atom.Tt, atom.U,
}

// void are the elements that have no end.
var void = []atom.Atom{
	atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Source, atom.Track, atom.Wbr,
}

// treeSize counts what HTML becomes in the parser, at least: a page of some KB can
// become a tree of a million elements.
type treeSize struct {
	nodes int
	// open are the elements that have begun and not ended.
	open []atom.Atom
	// again are the formatting elements among those that the parser would open again,
	// as they are in the source.
	again []reopened
}

type reopened struct {
	name   atom.Atom
	source string
}

// checkSize reports a page whose tree would have more than maxNodes.
func checkSize(body []byte) error {
	var size treeSize
	z := html.NewTokenizer(bytes.NewReader(body))
	for size.nodes <= maxNodes {
		switch z.Next() {
		case html.ErrorToken:
			return nil
		case html.StartTagToken, html.SelfClosingTagToken:
			size.begin(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			size.end(atom.Lookup(name))
		default:
			size.nodes += 1 + len(size.again)
		}
	}
	return errNodes
}

func (s *treeSize) begin(z *html.Tokenizer) {
	source := z.Raw()
	name, hasAttributes := z.TagName()
	tag := atom.Lookup(name)
	s.nodes += 1 + len(s.again)
	if hasAttributes {
		s.nodes += countAttributes(source[1+len(name):])
	}
	if slices.Contains(void, tag) {
		return
	}
	if len(s.open) < maxOpen {
		s.open = append(s.open, tag)
	}
	if slices.Contains(formatting, tag) {
		s.openAgain(reopened{tag, string(source[:min(len(source), 100)])})
	}
}

func (s *treeSize) openAgain(one reopened) {
	equal := 0
	for _, other := range s.again {
		if other == one {
			equal++
		}
	}
	if equal < sameFormatting {
		s.again = append(s.again, one)
	}
}

// countAttributes returns how many attributes there are in the source of a tag behind
// its name, or some more where it is malformed.
func countAttributes(source []byte) (n int) {
	var quote byte
	isBetween := true
	for _, c := range source {
		switch {
		case quote != 0:
			if c == quote {
				quote, isBetween = 0, true
			}
		case c == ' ', c == '\t', c == '\n', c == '\f', c == '\r', c == '/', c == '>':
			isBetween = true
		case !isBetween && (c == '"' || c == '\''):
			quote = c
		case isBetween:
			n++
			isBetween = false
		}
	}
	return n
}

func (s *treeSize) end(tag atom.Atom) {
	isLast := len(s.open) > 0 && s.open[len(s.open)-1] == tag
	for i, open := range slices.Backward(s.open) {
		if open == tag {
			s.open = s.open[:i]
			break
		}
	}
	if !slices.Contains(formatting, tag) {
		return
	}
	for i, one := range slices.Backward(s.again) {
		if one.name == tag {
			s.again = slices.Delete(s.again, i, i+1)
			break
		}
	}
	if !isLast {
		s.nodes += misnestedCopies
	}
}
