package tribunal

import "unsafe"

// reader reads what the host wrote into memory, field by field: a record's fields follow each other, each aligned.
type reader struct{ at unsafe.Pointer }

func (r *reader) align(to uintptr) { r.at = unsafe.Add(r.at, -uintptr(r.at)&(to-1)) }

func (r *reader) byte() byte {
	value := *(*byte)(r.at)
	r.at = unsafe.Add(r.at, 1)
	return value
}

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) word() uint32 {
	r.align(4)
	value := *(*uint32)(r.at)
	r.at = unsafe.Add(r.at, 4)
	return value
}

func (r *reader) long() uint64 {
	r.align(8)
	value := *(*uint64)(r.at)
	r.at = unsafe.Add(r.at, 8)
	return value
}

func (r *reader) text() string {
	start, length := r.word(), r.word()
	return unsafe.String((*byte)(unsafe.Add(nil, start)), length)
}

// time reads an optional timestamp.
func (r *reader) time() *Timestamp {
	r.align(8)
	is := r.bool()
	value := r.long()
	if !is {
		return nil
	}
	return &value
}

// known reads whether an optional list or text is there.
func (r *reader) known() bool {
	r.align(4)
	return r.bool()
}

func readList[T any](r *reader, item func(*reader) T) []T {
	start, length := r.word(), r.word()
	return readItems(length, unsafe.Add(nil, start), item)
}

// readOptional reads a list; where it is not known, what stands in its place means nothing.
func readOptional[T any](r *reader, known bool, item func(*reader) T) []T {
	start, length := r.word(), r.word()
	if !known {
		return nil
	}
	return readItems(length, unsafe.Add(nil, start), item)
}

func readItems[T any](length uint32, start unsafe.Pointer, item func(*reader) T) []T {
	items := make([]T, length)
	r := &reader{at: start}
	for i := range items {
		items[i] = item(r)
	}
	return items
}

// writer fills memory that the host will read.
type writer struct {
	start unsafe.Pointer
	at    uintptr
}

func newWriter(size int) *writer {
	block := make([]uint64, size/8+1)
	kept = append(kept, block)
	return &writer{start: unsafe.Pointer(unsafe.SliceData(block))}
}

func (w *writer) align(to uintptr) { w.at = (w.at + to - 1) &^ (to - 1) }

func (w *writer) byte(value byte) {
	*(*byte)(unsafe.Add(w.start, w.at)) = value
	w.at++
}

func (w *writer) word(value uint32) {
	w.align(4)
	*(*uint32)(unsafe.Add(w.start, w.at)) = value
	w.at += 4
}

func (w *writer) long(value uint64) {
	w.align(8)
	*(*uint64)(unsafe.Add(w.start, w.at)) = value
	w.at += 8
}

func (w *writer) pointer(to unsafe.Pointer) { w.word(uint32(uintptr(to))) }

func (w *writer) text(text string) {
	w.pointer(unsafe.Pointer(unsafe.StringData(text)))
	w.word(uint32(len(text)))
}

// done keeps what the memory points into until the host has read it.
func (w *writer) done(of any) unsafe.Pointer {
	answer = of
	return w.start
}

func writeList[T any](w *writer, items []T, size int, item func(*writer, T)) {
	list := newWriter(size * len(items))
	for i, one := range items {
		list.at = uintptr(i * size)
		item(list, one)
	}
	w.pointer(list.start)
	w.word(uint32(len(items)))
}

func writeGround(w *writer, ground Ground) {
	w.align(4)
	w.text(ground.Rule)
	w.text(ground.Reason)
}
