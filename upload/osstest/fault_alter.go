package osstest

import "github.com/vodupload/vodupload/upload/osstest/internal/broken"

// alterAnswer changes an answer that was kept, as the call's faults ask for. A
// fault that finds nothing to change does not count as applied.
func (x *exchange) alterAnswer() {
	for _, p := range x.chosen {
		if p.spec.effect.altersAnswer() && x.alterWith(&p.spec) {
			x.apply(p)
		}
	}
}

// alterWith reports whether a fault changed the answer.
func (x *exchange) alterWith(f *faultSpec) (changed bool) {
	h := x.answer.Header()
	switch f.effect {
	case effectSetHeader:
		h.Set(f.names[0], f.value)
		return true
	case effectDropHeader:
		return broken.DropHeaders(h, f.names)
	}
	var xml []byte
	if h.Get("Content-Type") == "application/xml" && x.req.op != OpGetObject {
		xml = x.answer.Body()
	}
	switch f.effect {
	case effectDropElement:
		xml, changed = broken.DropElements(xml, f.names)
	case effectWrongETag:
		xml, changed = broken.WrongETag(h, xml)
	case effectWrongCRC64:
		xml, changed = broken.WrongCRC64(h, xml)
	}
	if xml != nil {
		x.answer.SetBody(xml)
	}
	return changed
}
