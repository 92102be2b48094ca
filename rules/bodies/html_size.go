package bodies

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxNodes bounds the tree that a page becomes, in elements, texts and attributes.
const maxNodes = 100_000

// The steps in which the parser may search its stacks, for each byte of a page, and
// so many at least.
const (
	stepsPerByte = 32
	leastSteps   = 1 << 20
)

var (
	// errNodes means that the tree of a page would be too large.
	errNodes = fmt.Errorf("is HTML of more than %d elements and attributes", maxNodes)
	// errSteps means that parsing would take far longer than the page is long.
	errSteps = errors.New("is HTML whose elements are nested too deeply, or do not end, for so many of them")
	// errForeign means that nobody knows what is text in a page.
	errForeign = errors.New("is HTML with SVG or MathML that does not end where it should")
)

const (
	// sameFormatting is how many equal formatting elements the parser opens again
	// (HTML Standard, section 13.2.4.3).
	sameFormatting = 3
	// misnestedCopies is how many elements the parser makes at most of a formatting
	// element that does not end where it should, and misnestedRounds how often it
	// looks for one (section 13.2.6.4.7).
	misnestedCopies = 32
	misnestedRounds = 8
	// maxOpen is how many elements may be open.
	maxOpen = 512
	// mergeSteps is what it takes to add an attribute to html or body, and nameStep the
	// bytes of a name that are compared in a step.
	mergeSteps = 16
	nameStep   = 16
)

// treeSize counts what HTML becomes in the parser, at least, and the steps that this
// takes: a page of some KB can become a tree of a million elements, and keep the parser
// busy for seconds.
type treeSize struct {
	nodes, steps int
	open         openElements
	// again are the formatting elements that the parser would open again, as they are in
	// the source.
	again []reopened
	// begun are the elements for whose removal from the stack no steps are counted yet.
	begun int
	// formatted is how many formatting elements there were.
	formatted int
	// attributes are those of html and body.
	attributes int
}

type reopened struct {
	name   atom.Atom
	source string
	// id is that of the element in open.
	id int
}

// checkSize reports a page whose tree would have more than maxNodes, or take too long.
func checkSize(body []byte) error {
	var size treeSize
	maxSteps := leastSteps + stepsPerByte*len(body)
	z := html.NewTokenizer(bytes.NewReader(body))
	for size.nodes <= maxNodes && size.steps <= maxSteps {
		isForeign, isSure := size.open.inForeign()
		z.AllowCDATA(isForeign && isSure)
		switch z.Next() {
		case html.ErrorToken:
			return nil
		case html.StartTagToken:
			if !size.begin(z, false) {
				return errForeign
			}
		case html.SelfClosingTagToken:
			if !size.begin(z, true) {
				return errForeign
			}
		case html.EndTagToken:
			size.end(elementOf(z.TagName()))
		case html.CommentToken:
			size.nodes++
			if !isSure && bytes.HasPrefix(z.Raw(), []byte("<![CDATA[")) {
				return errForeign
			}
		default:
			size.text()
		}
	}
	if size.steps > maxSteps {
		return errSteps
	}
	return errNodes
}

// afterName are the bytes that end the name of a tag with attributes. Its length is not
// that of the name itself, in which a zero byte has become a longer one.
const afterName = " \t\n\f\r/"

// elementOf returns an element by its name. All headings are one, since the end of one
// ends another.
func elementOf(name []byte, _ bool) openElement {
	tag := atom.Lookup(name)
	switch tag {
	case 0:
		return openElement{name: string(name)}
	case atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		tag = atom.H1
	}
	return openElement{tag: tag, traits: traitsOf[tag]}
}

func (s *treeSize) text() {
	s.nodes += 1 + len(s.again)
	s.steps += len(s.again) * s.open.depth()
	s.reopen()
}

// begin counts a start tag. It returns false if nobody knows whether text or elements
// come after it.
func (s *treeSize) begin(z *html.Tokenizer, isSelfClosing bool) bool {
	source := z.Raw()
	name, hasAttributes := z.TagName()
	e := elementOf(name, hasAttributes)
	attributes := 0
	if hasAttributes {
		attributes = countAttributes(source[1+bytes.IndexAny(source[1:], afterName):])
	}
	if e.traits&rawText != 0 {
		switch isForeign, isSure := s.open.inForeign(); {
		case !isSure:
			return false
		case isForeign:
			z.NextIsNotRawText()
		}
	}
	depth := s.open.depth()
	s.begun++
	s.nodes += 1 + len(s.again) + attributes
	s.steps += (2 + len(s.again)) * depth
	switch {
	case e.traits&unlisted != 0:
		s.attributes += attributes
		if hasAttributes {
			s.steps += mergeSteps * s.attributes
		}
	case e.traits&formatting != 0:
		if e.tag == atom.A || e.tag == atom.Nobr {
			s.endUnended(e.tag)
		}
		s.steps += len(s.again) * attributes
		s.formatted++
		e.id = s.formatted
		s.reopen()
		s.openAgain(reopened{e.tag, string(source[:min(len(source), 100)]), e.id})
	case e.traits&block == 0:
		s.reopen()
	}
	s.open.begin(e, isSelfClosing)
	return true
}

// endUnended counts the end of an element that another of its name ends.
func (s *treeSize) endUnended(tag atom.Atom) {
	if slices.ContainsFunc(s.again, func(one reopened) bool { return one.name == tag }) {
		s.open.doubt()
		s.misnest()
	}
}

// misnest counts the end of a formatting element within another element: elements leave
// the middle of the stack.
func (s *treeSize) misnest() {
	s.nodes += misnestedCopies
	depth := s.open.depth() + len(s.again)
	removed := min(s.begun, depth)
	s.begun -= removed
	s.steps += (misnestedRounds + removed) * depth
}

// openAgain adds a formatting element to those that the parser opens again.
func (s *treeSize) openAgain(one reopened) {
	equal := 0
	for i, other := range slices.Backward(s.again) {
		if other.name == one.name && other.source == one.source {
			if equal++; equal == sameFormatting {
				s.again = slices.Delete(s.again, i, i+1)
				break
			}
		}
	}
	s.again = append(s.again, one)
}

// reopen opens the formatting elements again that are closed.
func (s *treeSize) reopen() {
	first := len(s.again)
	for first > 0 && !s.open.hasID(s.again[first-1].id) {
		first--
	}
	for i := first; i < len(s.again); i++ {
		one := &s.again[i]
		s.formatted++
		one.id = s.formatted
		s.begun++
		s.open.push(openElement{tag: one.name, traits: traitsOf[one.name], id: one.id})
	}
	if first < len(s.again) {
		s.open.doubt()
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

// end counts an end tag.
func (s *treeSize) end(e openElement) {
	s.steps += 3 * s.open.depth() * (1 + len(e.name)/nameStep)
	isLast := false
	if n := len(s.open.list); n > 0 {
		last := s.open.list[n-1]
		isLast = last.tag == e.tag && last.name == e.name
	}
	if e.tag == atom.P || e.tag == atom.Br { // without a start they are elements, too
		s.nodes += 1 + len(s.again)
		s.steps += len(s.again) * s.open.depth()
	}
	specials, isHidden := s.open.end(e)
	if e.traits&formatting == 0 {
		return
	}
	if !isHidden && specials < misnestedRounds-1 {
		s.endAgain(e.tag)
	}
	if !isLast {
		s.misnest()
	}
}

func (s *treeSize) endAgain(tag atom.Atom) {
	for i, one := range slices.Backward(s.again) {
		if one.name == tag {
			s.again = slices.Delete(s.again, i, i+1)
			return
		}
	}
}
