package auth

import "container/list"

// recent is a map of at most limit entries: who was put or asked for longest ago goes first.
type recent[K comparable, V any] struct {
	limit int
	items map[K]*list.Element
	order list.List // of recentItem[K, V], the latest first
}

type recentItem[K comparable, V any] struct {
	key   K
	value V
}

func (r *recent[K, V]) get(k K) (v V, known bool) {
	e, known := r.items[k]
	if !known {
		return v, false
	}
	r.order.MoveToFront(e)
	return e.Value.(recentItem[K, V]).value, true
}

func (r *recent[K, V]) has(k K) bool {
	_, known := r.get(k)
	return known
}

func (r *recent[K, V]) put(k K, v V) {
	if r.items == nil {
		r.items = make(map[K]*list.Element)
	}
	r.remove(k)
	if r.order.Len() >= r.limit {
		r.remove(r.order.Back().Value.(recentItem[K, V]).key)
	}
	r.items[k] = r.order.PushFront(recentItem[K, V]{k, v})
}

func (r *recent[K, V]) remove(k K) {
	if e, known := r.items[k]; known {
		r.order.Remove(e)
		delete(r.items, k)
	}
}
