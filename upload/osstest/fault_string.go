package osstest

import (
	"fmt"
	"strconv"
	"strings"
)

// String returns the fault as it is written in Go, without the package's name.
func (f *Fault) String() string { return f.spec.String() }

func (f *faultSpec) String() string {
	return f.effect.name() + "(" + strings.Join(f.arguments(), ", ") + ")" + f.where() + f.which()
}

var effectNames = map[effect]string{
	effectFail:        "Fail",
	effectHTML:        "HTML",
	effectEmptyAnswer: "EmptyAnswer",
	effectRedirect:    "Redirect",
	effectExpireToken: "ExpireToken",
	effectReset:       "Reset",
	effectDisconnect:  "Disconnect",
	effectHang:        "Hang",
	effectDelay:       "Delay",
	effectSlowBody:    "SlowBody",
	effectSlowAnswer:  "SlowAnswer",
	effectLoseUpload:  "LoseUpload",
	effectClockSkew:   "ClockSkew",
	effectSetHeader:   "SetHeader",
	effectDropHeader:  "DropHeader",
	effectDropElement: "DropElement",
	effectWrongETag:   "WrongETag",
	effectWrongCRC64:  "WrongCRC64",
}

func (e effect) name() string {
	if name, ok := effectNames[e]; ok {
		return name
	}
	return "Fault"
}

func (f *faultSpec) arguments() []string {
	args := []string{opName(f.op)}
	switch f.effect {
	case effectFail:
		args = append(args, strconv.Itoa(f.status), f.code)
	case effectHTML:
		args = append(args, strconv.Itoa(f.status))
	case effectRedirect:
		args = append(args, strconv.Quote(f.location))
	case effectDelay, effectClockSkew:
		args = append(args, f.delay.String())
	case effectSlowBody, effectSlowAnswer:
		args = append(args, strconv.Itoa(f.rate))
	case effectSetHeader:
		args = append(args, f.names[0], strconv.Quote(f.value))
	case effectDropHeader, effectDropElement:
		args = append(args, f.names...)
	}
	return args
}

// where returns the moment of the faults that have one, even if it is the
// default: a reader of a failed test needs it.
func (f *faultSpec) where() string {
	if !f.effect.ends() && !f.effect.holds() {
		return ""
	}
	switch f.moment {
	case beforeBody:
		return ".BeforeBody()"
	case inBody:
		return fmt.Sprintf(".InBody(%d)", f.after)
	case beforeWork:
		return ".BeforeWork()"
	case afterWork:
		return ".AfterWork()"
	}
	if f.after == halfway {
		return ".InAnswer(half)"
	}
	return fmt.Sprintf(".InAnswer(%d)", f.after)
}

func (f *faultSpec) which() string {
	var b strings.Builder
	if f.bucket != "" {
		fmt.Fprintf(&b, ".Bucket(%q)", f.bucket)
	}
	if f.key != "" {
		fmt.Fprintf(&b, ".Key(%q)", f.key)
	}
	if f.part != 0 {
		fmt.Fprintf(&b, ".Part(%d)", f.part)
	}
	b.WriteString(strings.Repeat(".Match(…)", len(f.match)))
	if f.nth > 1 {
		fmt.Fprintf(&b, ".Nth(%d)", f.nth)
	}
	switch {
	case f.times < 0:
		b.WriteString(".Always()")
	case f.times > 0:
		fmt.Fprintf(&b, ".Times(%d)", f.times)
	}
	if f.random {
		fmt.Fprintf(&b, ".Probability(%v)", f.probability)
	}
	return b.String()
}

// opName returns the operation's name for messages; the empty one is any.
func opName(op Op) string {
	if op == AnyOp {
		return "AnyOp"
	}
	return string(op)
}
