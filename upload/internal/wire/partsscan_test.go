package wire

import (
	"reflect"
	"strings"
	"testing"
)

// scanPart is a part the way OSS writes it.
const scanPart = `<Part><PartNumber>7</PartNumber><LastModified>2026-10-20T07:28:00.000Z</LastModified><ETag>"A1"</ETag><HashCrc64ecma>18446744073709551615</HashCrc64ecma><Size>102400</Size></Part>`

const scanHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
	`<ListPartsResult xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"><Key>a&lt;b</Key><IsTruncated>true</IsTruncated><NextPartNumberMarker>8</NextPartNumberMarker>`

func TestPagesOfPartsAreScanned(t *testing.T) {
	replaced := func(old, with string) string {
		return scanHead + strings.Replace(scanPart, old, with, 1) + scanPart + "</ListPartsResult>"
	}
	for name, c := range map[string]struct {
		text    string
		scanned bool
	}{
		"one part":                         {scanHead + scanPart + "</ListPartsResult>", true},
		"several parts":                    {scanHead + strings.Repeat(scanPart, 5) + "</ListPartsResult>", true},
		"parts on lines of their own":      {scanHead + "\n  " + strings.ReplaceAll(scanPart, "><", ">\r\n\t<") + "\n" + scanPart + "\n</ListPartsResult>\n", true},
		"an unknown element":               {replaced("<Size>", "<New>x</New><Size>"), true},
		"an element twice":                 {replaced("<Size>", "<Size>1</Size><Size>"), true},
		"no ETag":                          {replaced(`<ETag>"A1"</ETag>`, ""), true},
		"an empty part":                    {scanHead + "<Part></Part></ListPartsResult>", true},
		"a number below 0":                 {replaced("<Size>", "<Size>-"), true},
		"what follows the parts":           {scanHead + scanPart + "<IsTruncated>false</IsTruncated></ListPartsResult>", true},
		"no part":                          {scanHead + "</ListPartsResult>", false},
		"another root":                     {strings.ReplaceAll(scanHead, "ListPartsResult", "Error") + scanPart + "</Error>", false},
		"parts deeper down":                {scanHead + "<X>" + scanPart + "</X></ListPartsResult>", false},
		"parts in a comment":               {scanHead + "<!--" + scanPart + "--></ListPartsResult>", false},
		"parts in CDATA":                   {scanHead + "<Key><![CDATA[" + scanPart + "]]></Key></ListPartsResult>", false},
		"one part beside a comment":        {scanHead + "<!--" + scanPart + "--><Part/></ListPartsResult>", false},
		"a comment between parts":          {scanHead + scanPart + "<!-- -->" + scanPart + "</ListPartsResult>", false},
		"an element between parts":         {scanHead + scanPart + "<Key>b</Key>" + scanPart + "</ListPartsResult>", false},
		"text between parts":               {scanHead + scanPart + "x" + scanPart + "</ListPartsResult>", false},
		"a part with an attribute":         {replaced("<Part>", `<Part a="b">`), false},
		"a part with an attribute, behind": {scanHead + scanPart + strings.Replace(scanPart, "<Part>", `<Part a="b">`, 1) + "</ListPartsResult>", false},
		"a part in a part":                 {replaced("<Size>", scanPart+"<Size>"), false},
		"an element with an attribute":     {replaced("<Size>", `<Size a="b">`), false},
		"a name that begins with a digit":  {replaced("<Size>", "<1>x</1><Size>"), false},
		"an element in an element":         {replaced("102400", "<B>102400</B>"), false},
		"an empty-element tag":             {replaced("<Size>", "<Key/><Size>"), false},
		"an entity":                        {replaced(`"A1"`, "&quot;A1&quot;"), false},
		"CDATA in an element":              {replaced("102400", "<![CDATA[102400]]>"), false},
		"no number":                        {replaced("102400", "many"), false},
		"a number with spaces":             {replaced("102400", " 102400 "), false},
		"an empty number":                  {replaced("102400", ""), false},
		"a number beyond its range":        {replaced("102400", "9223372036854775808"), false},
		"letters beyond ASCII":             {replaced(`"A1"`, "ä"), false},
		"a byte that is not UTF-8":         {replaced(`"A1"`, "\xff"), false},
		"a tag that is not closed":         {replaced("</Size>", ""), false},
		"a tag closed by another":          {replaced("</Size>", "</Sized>"), false},
		"cut short after a part":           {scanHead + scanPart, false},
		"cut short in a part":              {scanHead + scanPart + scanPart[:40], false},
		"an end without a part":            {scanHead + "</Part>" + "</ListPartsResult>", false},
	} {
		t.Run(name, func(t *testing.T) {
			if scanned := scansLikeXML(t, c.text); scanned != c.scanned {
				t.Errorf("scanned: %t, want %t", scanned, c.scanned)
			}
		})
	}
}

// scansLikeXML reports whether text is scanned, and fails the test if package xml reads
// anything else in it.
func scansLikeXML(t *testing.T, text string) bool {
	t.Helper()
	var scanned, decoded partsPage
	if !scanned.scan([]byte(text)) {
		if !reflect.DeepEqual(scanned, partsPage{}) {
			t.Errorf("the page was changed to %+v", scanned)
		}
		return false
	}
	if err := decodeXML([]byte(text), &decoded); err != nil {
		t.Errorf("package xml returns %v", err)
	}
	if !reflect.DeepEqual(scanned, decoded) {
		t.Errorf("got %+v, package xml reads %+v", scanned, decoded)
	}
	return true
}

func FuzzPagesOfParts(f *testing.F) {
	for _, text := range []string{
		scanHead + scanPart + scanPart + "</ListPartsResult>",
		scanHead + "<!--" + scanPart + "--><Part/></ListPartsResult>",
		scanHead + "<Part><Size></Size><PartNumber>+1</PartNumber></Part>\n</ListPartsResult>x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { scansLikeXML(t, text) })
}
