package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"unicode"
)

var partStart, partEnd = []byte("<Part>"), []byte("</Part>")

// noPart is the size of a part that no server has.
const noPart = -271828

// scan implements [scanner]. Package xml reads what is around the parts, with one of size
// noPart in their place: that it finds this one alone shows that they are where parts belong.
func (p *partsPage) scan(text []byte) bool {
	from, to := bytes.Index(text, partStart), bytes.LastIndex(text, partEnd)
	if from < 0 || to < from {
		return false
	}
	to += len(partEnd)
	var page partsPage
	around := slices.Concat(text[:from], fmt.Appendf(nil, "<Part><Size>%d</Size></Part>", noPart), text[to:])
	if decodeXML(around, &page) != nil || len(page.Part) != 1 || page.Part[0].Size != noPart {
		return false
	}
	page.Part = make([]listedPart, 0, maxPage)
	for rest := text[from:to]; len(rest) > 0; rest = trimSpace(rest) {
		var x listedPart
		if rest = x.scan(rest); rest == nil {
			return false
		}
		page.Part = append(page.Part, x)
	}
	*p = page
	return true
}

// scan reads the part that text begins with, and returns what follows it; nil if it is not
// of plain elements alone.
func (x *listedPart) scan(text []byte) (rest []byte) {
	rest, ok := bytes.CutPrefix(text, partStart)
	for ok {
		rest = trimSpace(rest)
		if after, ended := bytes.CutPrefix(rest, partEnd); ended {
			return after
		}
		var name, value string
		name, value, rest = plainElement(rest)
		ok = name != "" && x.set(name, value)
	}
	return nil
}

func (x *listedPart) set(name, value string) bool {
	var err error
	switch name {
	case "PartNumber":
		x.PartNumber, err = strconv.Atoi(value)
	case "ETag":
		x.ETag = &value
	case "Size":
		x.Size, err = strconv.ParseInt(value, 10, 64)
	case "HashCrc64ecma":
		x.HashCrc64ecma = value
	case "LastModified":
		x.LastModified = value
	}
	return err == nil
}

// plainElement reads an element of ASCII text alone, without attributes, entities and
// other elements. The name is empty if text does not begin with one.
func plainElement(text []byte) (name, value string, rest []byte) {
	start, rest, _ := bytes.Cut(text, []byte(">"))
	content, rest, _ := bytes.Cut(rest, []byte("</"))
	end, rest, _ := bytes.Cut(rest, []byte(">"))
	tag, ok := bytes.CutPrefix(start, []byte("<"))
	if !ok || !bytes.Equal(tag, end) || bytes.ContainsFunc(tag[:min(len(tag), 1)], unicode.IsDigit) ||
		bytes.ContainsFunc(tag, isNoWord) || bytes.ContainsFunc(content, isMarkup) {
		return "", "", nil
	}
	return string(tag), string(content), rest
}

func isNoWord(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
}

func isMarkup(r rune) bool { return r < ' ' || r > '~' || r == '<' || r == '>' || r == '&' }

func trimSpace(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }
