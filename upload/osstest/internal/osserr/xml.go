package osserr

import (
	"bytes"
	"encoding/xml"
	"errors"
)

const prolog = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// XML returns the error's document, its elements in the order that OSS has them.
func (e *Error) XML(requestID, host string) []byte {
	var buf bytes.Buffer
	buf.WriteString(prolog + "<Error>\n")
	fields := []Field{
		{Name: "Code", Value: e.Code}, {Name: "Message", Value: e.Message},
		{Name: "RequestId", Value: requestID}, {Name: "HostId", Value: host},
	}
	fields = append(fields, e.Fields...)
	if e.EC != "" {
		fields = append(fields, Field{Name: "EC", Value: e.EC},
			Field{Name: "RecommendDoc", Value: "https://api.aliyun.com/troubleshoot?q=" + e.EC})
	}
	writeFields(&buf, "  ", fields)
	buf.WriteString("</Error>\n")
	return buf.Bytes()
}

func writeFields(buf *bytes.Buffer, indent string, fields []Field) {
	for _, f := range fields {
		buf.WriteString(indent + "<" + f.Name + ">")
		if f.Nested != nil {
			buf.WriteByte('\n')
			writeFields(buf, indent+"  ", f.Nested)
			buf.WriteString(indent)
		} else {
			xml.EscapeText(buf, []byte(f.Value)) // a buffer does not fail
		}
		buf.WriteString("</" + f.Name + ">\n")
	}
}

// AsError returns the error for a caller that is no client.
func (e *Error) AsError() error {
	text := e.Message
	for _, f := range e.Fields {
		text += " " + f.Name + ": " + f.Value
	}
	return errors.New(text)
}
