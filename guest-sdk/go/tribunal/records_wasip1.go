package tribunal

// The records of the contract in memory, in the order of their fields. Each ends aligned as it begins, so that the next one
// of a list follows.

func readAttribute(r *reader) Attribute {
	return Attribute{Key: r.text(), Values: readList(r, (*reader).text)}
}

func readResource(r *reader) Resource {
	resource := Resource{Cluster: r.text(), Kind: r.text(), Name: r.text(), SubResource: r.text()}
	resource.LabelsKnown = r.known()
	resource.Labels = readOptional(r, resource.LabelsKnown, readAttribute)
	if r.known() {
		constraints := r.text()
		resource.Constraints = &constraints
	} else {
		r.word()
		r.word()
	}
	return resource
}

func readReview(r *reader) Review {
	review := Review{Author: r.text(), State: RequestState(r.byte()), Reason: r.text(), Created: r.long()}
	return review
}

func readLock(r *reader) Lock {
	return Lock{Name: r.text(), Message: r.text(), Ours: r.bool(), Expires: r.time()}
}

func readRequest(r *reader) AccessRequest {
	request := AccessRequest{
		ID:                 r.text(),
		User:               r.text(),
		State:              RequestState(r.byte()),
		Kind:               RequestKind(r.byte()),
		Roles:              readList(r, (*reader).text),
		Resources:          readList(r, readResource),
		Reason:             r.text(),
		Created:            r.long(),
		AccessStarts:       r.time(),
		AccessExpires:      r.time(),
		DecidedBy:          Decider(r.byte()),
		ResolveReason:      r.text(),
		Reviews:            readList(r, readReview),
		SuggestedReviewers: readList(r, (*reader).text),
		Annotations:        readList(r, readAttribute),
		Locks:              readList(r, readLock),
	}
	r.align(8)
	return request
}

func readSubject(r *reader) Subject {
	subject := Subject{Name: r.text(), Bot: r.bool()}
	subject.RolesKnown = r.known()
	subject.Roles = readOptional(r, subject.RolesKnown, (*reader).text)
	subject.TraitsKnown = r.known()
	subject.Traits = readOptional(r, subject.TraitsKnown, readAttribute)
	return subject
}

func readFact(r *reader) Fact {
	fact := Fact{Name: r.text(), JSON: r.text(), Fetched: r.long(), Fresh: r.bool()}
	r.align(8)
	return fact
}

func readCase(r *reader) Case {
	asked := Case{
		Now:      r.long(),
		Cluster:  r.text(),
		Subject:  readSubject(r),
		Requests: readList(r, readRequest),
		Facts:    readList(r, readFact),
	}
	r.align(8)
	return asked
}
