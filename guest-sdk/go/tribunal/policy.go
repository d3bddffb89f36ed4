package tribunal

import "encoding/json"

// Policy is a pure function of its settings, of type S, and a case. It is made anew for each answer. Equal settings and
// case must give an equal answer: sort the keys of maps before you go through them.
type Policy[S any] struct {
	// Name is lower case words joined by "-".
	Name string
	// Version is a semantic one.
	Version string
	// Summary is one line for the operator.
	Summary string
	// Rules are all that its reasons name.
	Rules []Rule
	// Effects are all that its answers may have. The operator has to grant them.
	Effects []Effect
	// Settings are the schemas of its settings by their keys, which are also what checks them.
	Settings map[string]Schema
	// Check finds what is wrong with the settings beyond their schema, each a sentence that names the key. May be nil.
	Check func(S) []string
	// Review answers about a pending request. Nil: it has nothing to say.
	Review func(S, *Case, *AccessRequest) Opinion
	// Enforce names the held requests that must be locked now, each once. Nil: none.
	Enforce func(S, *Case) []LockOrder
}

// Adapted is the functions that the contract asks for.
type Adapted struct {
	Describe  func() Description
	Configure func(settings string) []string
	Review    func(asked *Case, request string) Opinion
	Enforce   func(asked *Case) []LockOrder
}

// Adapt makes the contract's functions of a policy. They panic where they are called outside of the contract.
func (p Policy[S]) Adapt() Adapted {
	var configured *S
	settings := func() S {
		if configured == nil {
			panic("called before `configure`")
		}
		return *configured
	}
	schema := Schema{Properties: p.Settings}.text()
	return Adapted{
		Describe: func() Description {
			return Description{p.Name, p.Version, p.Summary, p.Rules, p.Effects, schema}
		},
		Configure: func(text string) []string {
			checked, faults := parseSettings(schema, text)
			if len(faults) > 0 {
				return faults
			}
			var settings S
			if err := json.Unmarshal(checked, &settings); err != nil {
				return []string{"the settings do not fit: " + err.Error()}
			}
			if p.Check != nil {
				if faults := p.Check(settings); len(faults) > 0 {
					return faults
				}
			}
			configured = &settings
			return nil
		},
		Review: func(asked *Case, id string) Opinion {
			request := asked.Find(id)
			if request == nil {
				panic("`review` of a request that is not in the case")
			}
			if p.Review == nil {
				return Abstain()
			}
			return p.Review(settings(), asked, request)
		},
		Enforce: func(asked *Case) []LockOrder {
			if p.Enforce == nil {
				return nil
			}
			return p.Enforce(settings(), asked)
		},
	}
}
