package osstest

import (
	"maps"
	"net/http"
	"strconv"

	"github.com/vodupload/vodupload/upload/osstest/internal/sign"
)

// conclude answers or breaks the call as a fault wants it.
func (x *exchange) conclude(p *chosen) {
	x.apply(p)
	switch p.spec.effect {
	case effectReset:
		x.reset()
	case effectDisconnect:
		x.disconnect()
	case effectExpireToken:
		if id := sign.AccessKeyID(x.req.Request); id != "" {
			x.s.ExpireKey(id)
		}
		x.refuse(p)
	case effectFail:
		x.refuse(p)
	case effectHTML:
		x.foreign(p, p.spec.status, "text/html", htmlPage(p.spec.status))
	case effectEmptyAnswer:
		x.foreign(p, http.StatusOK, "", nil)
	case effectRedirect:
		x.redirect(p)
	}
}

// refuse answers with an error of OSS. One that is a success all the same, like
// 203 CallbackFailed, leaves the headers of the work as they are.
func (x *exchange) refuse(p *chosen) {
	e := p.spec.apiError(x.req)
	x.answer.Forget()
	if e.Status >= 300 {
		x.answer.SetHeader(x.header)
	}
	x.s.writeError(&x.answer, x.req, e)
}

// foreign answers as something that is not OSS.
func (x *exchange) foreign(p *chosen, status int, contentType string, body []byte) {
	x.answer.Forget()
	x.answer.SetHeader(p.spec.header)
	h := x.answer.Header()
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if contentType != "" {
		h.Set("Content-Type", contentType)
		h.Set("Server", "proxy")
	}
	x.answer.WriteHeader(status)
	if x.req.Method != http.MethodHead {
		x.answer.Write(body)
	}
}

func (x *exchange) redirect(p *chosen) {
	x.answer.Forget()
	x.answer.SetHeader(x.header)
	h := x.answer.Header()
	maps.Copy(h, p.spec.header)
	location := p.spec.location
	if location == "" {
		scheme := "http://"
		if x.req.TLS != nil {
			scheme = "https://"
		}
		location = scheme + x.req.Host + x.req.URL.RequestURI()
	}
	h.Set("Location", location)
	h.Set("Content-Length", "0")
	x.answer.WriteHeader(http.StatusTemporaryRedirect)
}

// htmlPage is what a proxy shows.
func htmlPage(status int) []byte {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	return []byte("<html>\r\n<head><title>" + title + "</title></head>\r\n" +
		"<body>\r\n<center><h1>" + title + "</h1></center>\r\n</body>\r\n</html>\r\n")
}

// send sends an answer that was kept.
func (x *exchange) send() {
	status, body := x.answer.Take(x.req.Method)
	if x.sentByHand() {
		x.sendByHand(status, body)
		return
	}
	x.answer.WriteHeader(status)
	if len(body) > 0 {
		x.answer.Write(body)
	}
}
