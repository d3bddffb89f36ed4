package tribunal

import (
	"cmp"
	"slices"
)

// ExemptAnnotation is how the host says that the operator exempts a request from being locked.
const ExemptAnnotation = "tribunal/exempt"

// Held is what gives access now: approved, started, not expired and not locked; oldest first.
func (c *Case) Held() []*AccessRequest {
	return c.where(func(r *AccessRequest) bool { return r.IsHeld(c.Now) })
}

// InState is the requests of this state, oldest first.
func (c *Case) InState(state RequestState) []*AccessRequest {
	return c.where(func(r *AccessRequest) bool { return r.State == state })
}

// Find is the request with this id, or nil.
func (c *Case) Find(id string) *AccessRequest {
	for i := range c.Requests {
		if c.Requests[i].ID == id {
			return &c.Requests[i]
		}
	}
	return nil
}

// Fact is the one that the operator configured under this name, or nil.
func (c *Case) Fact(name string) *Fact {
	for i := range c.Facts {
		if c.Facts[i].Name == name {
			return &c.Facts[i]
		}
	}
	return nil
}

func (c *Case) where(wanted func(*AccessRequest) bool) []*AccessRequest {
	var found []*AccessRequest
	for i := range c.Requests {
		if request := &c.Requests[i]; wanted(request) {
			found = append(found, request)
		}
	}
	return found
}

// IsHeld says whether it gives access at this time.
func (r *AccessRequest) IsHeld(now Timestamp) bool {
	return r.State == Approved && r.HasStarted(now) && !r.HasExpired(now) && len(r.Locks) == 0
}

// HasStarted says whether its access may be used from this time on or since before.
func (r *AccessRequest) HasStarted(now Timestamp) bool {
	return r.AccessStarts == nil || *r.AccessStarts <= now
}

// HasExpired says whether its access has ended; false where the end is not known.
func (r *AccessRequest) HasExpired(now Timestamp) bool {
	return r.AccessExpires != nil && *r.AccessExpires <= now
}

// IsExempt says whether the operator exempts it: it should neither count nor be locked.
func (r *AccessRequest) IsExempt() bool {
	_, is := Values(r.Annotations, ExemptAnnotation)
	return is
}

// Path is Teleport's way to write a resource: /cluster/kind/name.
func (r *Resource) Path() string {
	path := "/" + r.Cluster + "/" + r.Kind + "/" + r.Name
	if r.SubResource == "" {
		return path
	}
	return path + "/" + r.SubResource
}

// Values are those of a trait, a label or an annotation, and whether there is such a key.
func Values(attributes []Attribute, key string) ([]string, bool) {
	for _, attribute := range attributes {
		if attribute.Key == key {
			return attribute.Values, true
		}
	}
	return nil, false
}

// ByAge orders requests, oldest first, equal ages by id.
func ByAge(a, b *AccessRequest) int {
	return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
}

// SortByAge puts requests into that order.
func SortByAge(requests []*AccessRequest) { slices.SortFunc(requests, ByAge) }
