package bodies

import (
	"slices"

	"golang.org/x/net/html/atom"
)

// traits are how the HTML parser treats elements of a name.
type traits uint

const (
	// formatting elements are opened again in each block until they end.
	formatting traits = 1 << iota
	// void elements have no end.
	void
	// special elements end the search for the start of an inline element.
	special
	// scoping elements end the search for the start of any element.
	scoping
	// tableScoping elements do so for the parts of tables.
	tableScoping
	// tablePart elements are searched for up to the table.
	tablePart
	// block elements end a paragraph.
	block
	// unlisted elements are never on the list of those that are open.
	unlisted
	// rawText elements have no elements in them.
	rawText
)

// traitsOf follows the HTML Standard (sections 13.2.4.2, 13.2.4.3 and 13.2.6.4.7).
var traitsOf = func() map[atom.Atom]traits {
	of := map[atom.Atom]traits{}
	add := func(t traits, names ...atom.Atom) {
		for _, name := range names {
			of[name] |= t
		}
	}
	add(formatting, atom.A, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Nobr, atom.S, atom.Small, atom.Strike, atom.Strong, atom.Tt, atom.U)
	add(void|special, atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Image, atom.Img, atom.Input, atom.Keygen, atom.Link,
		atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr)
	add(unlisted, atom.Html, atom.Head, atom.Body)
	add(block|special, atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Center, atom.Details, atom.Dialog, atom.Dir, atom.Div,
		atom.Dl, atom.Fieldset, atom.Figcaption, atom.Figure, atom.Footer, atom.Form, atom.H1, atom.Header, atom.Hgroup, atom.Listing, atom.Main,
		atom.Menu, atom.Nav, atom.Ol, atom.P, atom.Plaintext, atom.Pre, atom.Search, atom.Section, atom.Summary, atom.Ul, atom.Li, atom.Dd, atom.Dt)
	add(special|scoping, atom.Applet, atom.Marquee, atom.Object, atom.Select)
	add(special|scoping|tablePart, atom.Caption, atom.Td, atom.Th)
	add(special|tablePart, atom.Colgroup, atom.Tbody, atom.Tfoot, atom.Thead, atom.Tr)
	add(special|scoping|tableScoping|tablePart, atom.Table)
	add(special|scoping|tableScoping, atom.Template)
	add(special, atom.Button, atom.Frameset)
	add(special|rawText, atom.Iframe, atom.Noembed, atom.Noframes, atom.Noscript, atom.Plaintext, atom.Script, atom.Style, atom.Textarea, atom.Title, atom.Xmp)
	return of
}()

// breakouts are the elements that end SVG and MathML around them (section 13.2.6.5).
var breakouts = func() map[atom.Atom]bool {
	of := map[atom.Atom]bool{}
	for _, name := range []atom.Atom{
		atom.B, atom.Big, atom.Blockquote, atom.Body, atom.Br, atom.Center, atom.Code, atom.Dd, atom.Div, atom.Dl, atom.Dt, atom.Em, atom.Embed,
		atom.Font, atom.H1, atom.Head, atom.Hr, atom.I, atom.Img, atom.Li, atom.Listing, atom.Menu, atom.Meta, atom.Nobr, atom.Ol, atom.P, atom.Pre,
		atom.Ruby, atom.S, atom.Small, atom.Span, atom.Strong, atom.Strike, atom.Sub, atom.Sup, atom.Table, atom.Tt, atom.U, atom.Ul, atom.Var,
	} {
		of[name] = true
	}
	return of
}()

// foreignness is what an element's content is.
type foreignness int

const (
	// inHTML is HTML.
	inHTML foreignness = iota
	// inForeign is SVG or MathML.
	inForeign
	// inIntegration is HTML in an element of SVG or MathML.
	inIntegration
)

// openElement is an element that has begun.
type openElement struct {
	tag atom.Atom
	// name is that of an element that has no atom.
	name    string
	traits  traits
	content foreignness
	// id is set for formatting elements.
	id int
}

// openElements are at least those that the parser has on its stack, in that order,
// beside the ones that it opens again: maybe some of them are closed there. An element
// leaves the list only where the parser would certainly close it.
type openElements struct {
	list []openElement
	// sure is from where all of them are certainly open in the parser.
	sure int
	// foreign is how many are SVG or MathML, and paragraphs how many are p.
	foreign, paragraphs int
	// isMath means that one of the foreign ones may be MathML.
	isMath bool
	// isFull means that there were once more than maxOpen.
	isFull bool
	// isFormLost means that a form has ended that is not the last one on the list.
	isFormLost bool
}

// depth returns how many elements a search may pass.
func (o *openElements) depth() int {
	if o.isFull {
		return maxOpen
	}
	return len(o.list) + 3
}

// inForeign reports whether what comes is SVG or MathML; isKnown is false if nobody knows.
func (o *openElements) inForeign() (is, isKnown bool) {
	last := len(o.list) - 1
	is = last >= 0 && o.list[last].content == inForeign
	return is, o.foreign == 0 || last >= o.sure && !o.isMath
}

// begin adds an element.
func (o *openElements) begin(e openElement, isSelfClosing bool) {
	is, isKnown := o.inForeign()
	isStart := e.tag == atom.Svg || e.tag == atom.Math
	switch isForeign := is && isKnown && !breakouts[e.tag] || isStart; {
	case isForeign && isSelfClosing && isKnown:
		return
	case isForeign:
		e.content = contentOf(e)
		o.push(e)
		o.isMath = o.isMath || e.tag == atom.Math
		return
	case o.foreign > 0:
		o.push(e)
		o.doubt()
		return
	}
	o.close(e)
	if e.traits&block != 0 && o.paragraphs > 0 {
		o.end(openElement{tag: atom.P, traits: traitsOf[atom.P]})
	}
	isSure := o.isSure(e)
	if e.traits&void == 0 {
		o.push(e)
	}
	if !isSure {
		o.doubt()
	}
}

// doubt makes all of them ones that the parser may have closed.
func (o *openElements) doubt() { o.sure = len(o.list) }

// isSure reports whether the start of an element certainly opens it, and does so without
// closing others.
func (o *openElements) isSure(e openElement) bool {
	var last openElement
	isLastSure := len(o.list) > o.sure
	if len(o.list) > 0 {
		last = o.list[len(o.list)-1]
	}
	switch e.tag {
	case atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption, atom.Colgroup, atom.Col:
		return isLastSure && last.tag == atom.Table
	case atom.Tr:
		return isLastSure && (last.tag == atom.Table || last.tag == atom.Tbody || last.tag == atom.Thead || last.tag == atom.Tfoot)
	case atom.Td, atom.Th:
		return isLastSure && last.tag == atom.Tr
	case atom.Table, atom.Form:
		isInCell := isLastSure && last.traits&tablePart == 0 || last.tag == atom.Td || last.tag == atom.Th
		return (isInCell || len(o.list) == 0) && o.paragraphs == 0 && (e.tag == atom.Table || !o.isFormLost && !o.has(atom.Form))
	case atom.Li, atom.Dd, atom.Dt:
		return isLastSure && (last.tag == atom.Ul || last.tag == atom.Ol || last.tag == atom.Menu || last.tag == atom.Dl)
	case atom.Option, atom.Optgroup:
		return isLastSure && (last.tag == atom.Select || last.tag == atom.Optgroup && e.tag == atom.Option)
	case atom.Select, atom.Input:
		return !o.has(atom.Select)
	case atom.Hr:
		return o.paragraphs == 0 && !o.has(atom.Select)
	case atom.H1:
		return last.tag != atom.H1
	case atom.Button:
		return !o.has(atom.Button)
	case atom.Rb, atom.Rp, atom.Rt, atom.Rtc, atom.Frameset, atom.Frame, atom.Template, atom.Nobr:
		return false
	}
	return true
}

func (o *openElements) hasID(id int) bool {
	return slices.ContainsFunc(o.list, func(e openElement) bool { return e.id == id })
}

func (o *openElements) has(tag atom.Atom) bool {
	return slices.ContainsFunc(o.list, func(e openElement) bool { return e.tag == tag })
}

// contentOf is what the content of an element in SVG or MathML is (section 13.2.6:
// HTML integration points). Those of MathML are not told apart.
func contentOf(e openElement) foreignness {
	switch e.tag {
	case atom.Desc, atom.Title, atom.Foreignobject:
		return inIntegration
	}
	return inForeign
}

func (o *openElements) push(e openElement) {
	if e.traits&unlisted != 0 {
		return
	}
	if len(o.list) >= maxOpen {
		o.isFull = true
		return
	}
	o.list = append(o.list, e)
	o.count(e, 1)
}

// count adds n to the counts of elements like e.
func (o *openElements) count(e openElement, n int) {
	switch {
	case e.content != inHTML:
		o.foreign += n
		o.isMath = o.isMath && o.foreign > 0
	case e.tag == atom.P:
		o.paragraphs += n
	}
}

// close removes the last elements if the start of another one ends them.
func (o *openElements) close(by openElement) {
	for last := len(o.list) - 1; last >= 0; last-- {
		ends := false
		switch tag := o.list[last].tag; tag {
		case atom.Li, atom.Option:
			ends = by.tag == tag
		case atom.Dd, atom.Dt:
			ends = by.tag == atom.Dd || by.tag == atom.Dt
		case atom.Td, atom.Th:
			ends = by.traits&tablePart != 0 && by.tag != atom.Table
		case atom.Tr:
			ends = by.traits&tablePart != 0 && by.tag != atom.Table && by.tag != atom.Td && by.tag != atom.Th
		case atom.Tbody, atom.Thead, atom.Tfoot:
			ends = by.tag == atom.Tbody || by.tag == atom.Thead || by.tag == atom.Tfoot
		}
		if !ends {
			return
		}
		o.truncate(last)
	}
}

// end removes an element, and those above it if the parser certainly closes them. It
// returns how many special elements are above it, and whether one of them hides it.
func (o *openElements) end(e openElement) (specials int, isHidden bool) {
	for i, open := range slices.Backward(o.list) {
		if open.tag == e.tag && open.name == e.name {
			o.endAt(i, specials)
			return specials, false
		}
		if open.traits&special != 0 {
			specials++
		}
		if hides(open, e) {
			if i < o.sure || open.content != inHTML {
				o.doubt()
			}
			isHidden = true
			break
		}
	}
	o.isFormLost = o.isFormLost || e.tag == atom.Form
	if e.traits&formatting != 0 {
		o.doubt()
	}
	return specials, isHidden
}

// endAt removes the element at i, with so many special ones above it.
func (o *openElements) endAt(i, specials int) {
	e := o.list[i]
	isLast, isSure := i == len(o.list)-1, i >= o.sure
	switch {
	case specials > 0 && e.stopsAtSpecial(), e.tag == atom.Form && o.isFormLost, e.tag == atom.Colgroup && !isLast:
		if e.traits&formatting != 0 || !isSure {
			o.doubt()
		}
	case isLast, isSure && e.traits&formatting == 0 && e.tag != atom.Form:
		o.truncate(i)
	default:
		o.count(e, -1)
		o.list = slices.Delete(o.list, i, i+1)
		o.doubt()
	}
}

// truncate removes the elements from i on.
func (o *openElements) truncate(i int) {
	for _, e := range o.list[i:] {
		o.count(e, -1)
	}
	o.list = o.list[:i]
	o.sure = min(o.sure, i)
}

// stopsAtSpecial reports whether the search for the start of the element ends at
// special elements.
func (e openElement) stopsAtSpecial() bool {
	return e.traits&(block|scoping|tablePart) == 0 && e.tag != atom.Button
}

// hides reports whether an element ends the search for the start of e.
func hides(open, e openElement) bool {
	switch {
	case open.content != inHTML && e.tag != atom.Template:
		return true
	case e.tag == atom.Template:
		return false
	case e.traits&tablePart != 0:
		return open.traits&tableScoping != 0
	case open.traits&scoping != 0:
		return true
	case e.tag == atom.Li:
		return open.tag == atom.Ul || open.tag == atom.Ol
	}
	return e.tag == atom.P && open.tag == atom.Button
}
