package tribunal

import "unsafe"

// The contract's functions as the canonical ABI of components has them. Memory that the host asks for, and the last answer,
// stay referenced to the end of the instance, which lives for one evaluation.
var (
	exported Adapted
	kept     [][]uint64
	answer   any
)

// Export makes a policy the one that the component exports. Once for each component, in an init function.
func Export[S any](policy Policy[S]) {
	exported = policy.Adapt()
	LogTo = func(level LogLevel, message string) {
		logWrite(uint32(level), unsafe.Pointer(unsafe.StringData(message)), uint32(len(message)))
	}
}

//go:wasmimport tribunal:policy/log@0.1.0 write
func logWrite(level uint32, message unsafe.Pointer, length uint32)

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	block := make([]uint64, size/8+1)
	kept = append(kept, block)
	start := unsafe.Pointer(unsafe.SliceData(block))
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(start), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return start
}

//go:wasmexport describe
func describe() unsafe.Pointer {
	description := exported.Describe()
	w := newWriter(48)
	w.text(description.Name)
	w.text(description.Version)
	w.text(description.Summary)
	writeList(w, description.Rules, 16, func(w *writer, rule Rule) {
		w.text(rule.ID)
		w.text(rule.Summary)
	})
	writeList(w, description.Effects, 1, func(w *writer, effect Effect) { w.byte(byte(effect)) })
	w.text(description.SettingsSchema)
	return w.done(description)
}

//go:wasmexport configure
func configure(settings unsafe.Pointer, length uint32) unsafe.Pointer {
	faults := exported.Configure(unsafe.String((*byte)(settings), length))
	w := newWriter(12)
	if len(faults) > 0 {
		w.byte(1)
		writeList(w, faults, 8, (*writer).text)
	}
	return w.done(faults)
}

//go:wasmexport review
func review(arguments unsafe.Pointer) unsafe.Pointer {
	r := &reader{at: arguments}
	asked := readCase(r)
	opinion := exported.Review(&asked, r.text())
	w := newWriter(20)
	w.byte(byte(opinion.Kind))
	switch opinion.Kind {
	case Denies:
		writeList(w, opinion.Grounds, 16, writeGround)
	case Approves, Escalates:
		writeGround(w, opinion.Grounds[0])
	}
	return w.done(opinion)
}

//go:wasmexport enforce
func enforce(now uint64, cluster unsafe.Pointer, clusterLength uint32, name unsafe.Pointer, nameLength, bot, rolesKnown uint32,
	roles unsafe.Pointer, rolesLength, traitsKnown uint32, traits unsafe.Pointer, traitsLength uint32,
	requests unsafe.Pointer, requestsLength uint32, facts unsafe.Pointer, factsLength uint32) unsafe.Pointer {
	asked := Case{
		Now:     now,
		Cluster: unsafe.String((*byte)(cluster), clusterLength),
		Subject: Subject{
			Name:        unsafe.String((*byte)(name), nameLength),
			Bot:         bot != 0,
			RolesKnown:  rolesKnown != 0,
			Roles:       readItems(rolesKnown*rolesLength, roles, (*reader).text),
			TraitsKnown: traitsKnown != 0,
			Traits:      readItems(traitsKnown*traitsLength, traits, readAttribute),
		},
		Requests: readItems(requestsLength, requests, readRequest),
		Facts:    readItems(factsLength, facts, readFact),
	}
	orders := exported.Enforce(&asked)
	w := newWriter(8)
	writeList(w, orders, 40, func(w *writer, order LockOrder) {
		w.text(order.Request)
		writeGround(w, order.Ground)
		if order.Until != nil {
			w.byte(1)
			w.align(8)
			w.long(*order.Until)
		}
	})
	return w.done(orders)
}
