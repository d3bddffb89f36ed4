package tribunal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ReasonBytesMax is the longest reason of one ground: what Teleport stores of a whole decision. Longer ones are cut.
const ReasonBytesMax = 4096

// What a reason that was cut ends with.
const cutMark = "…"

// Abstain has nothing to say; somebody else has to approve.
func Abstain() Opinion { return Opinion{Kind: Abstains} }

// Approve is a yes, as far as this policy is concerned.
func Approve(rule, reason string) Opinion {
	return Opinion{Kind: Approves, Grounds: []Ground{Because(rule, reason)}}
}

// Deny is a no.
func Deny(rule, reason string) Opinion {
	return Opinion{Kind: Denies, Grounds: []Ground{Because(rule, reason)}}
}

// DenyAll is a no on all of these grounds; where there are none it abstains.
func DenyAll(grounds []Ground) Opinion {
	if len(grounds) == 0 {
		return Abstain()
	}
	return Opinion{Kind: Denies, Grounds: grounds}
}

// Escalate leaves it to people.
func Escalate(rule, reason string) Opinion {
	return Opinion{Kind: Escalates, Grounds: []Ground{Because(rule, reason)}}
}

// LockRequest orders that a held request is locked for as long as its access lasts.
func LockRequest(request, rule, reason string) LockOrder {
	return LockOrder{Request: request, Ground: Because(rule, reason)}
}

// Because is a rule of the policy and a sentence for people. Control characters become spaces, and what goes beyond
// ReasonBytesMax is cut: names that a requester chose cannot turn an answer into a fault.
func Because(rule, reason string) Ground {
	line := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, reason)
	if len(reason) <= ReasonBytesMax {
		return Ground{Rule: rule, Reason: line}
	}
	end := min(len(line), ReasonBytesMax-len(cutMark))
	for end > 0 && end < len(line) && !utf8.RuneStart(line[end]) {
		end--
	}
	return Ground{Rule: rule, Reason: line[:end] + cutMark}
}
