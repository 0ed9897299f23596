package store

import (
	"errors"
	"testing"
)

func TestQuotaCheck(t *testing.T) {
	for _, test := range []struct {
		limit, used, more Usage
		over              bool
	}{
		{Usage{}, Usage{1 << 40, 1 << 60}, Usage{1, 1 << 60}, false},
		{Usage{Octets: 100}, Usage{5, 90}, Usage{1, 10}, false},
		{Usage{Octets: 100}, Usage{5, 90}, Usage{1, 11}, true},
		{Usage{Octets: 100}, Usage{5, 99}, Usage{1, 0}, false},
		{Usage{Octets: 100}, Usage{5, 100}, Usage{1, 0}, true},
		{Usage{Octets: 100}, Usage{5, 0}, Usage{1, 1<<63 - 1}, true},
		{Usage{Octets: 100}, Usage{5, -7}, Usage{1, 100}, false},
		{Usage{Messages: 3}, Usage{2, 1 << 60}, Usage{1, 1 << 60}, false},
		{Usage{Messages: 3}, Usage{3, 0}, Usage{1, 1}, true},
		{Usage{Messages: 3}, Usage{2, 0}, Usage{2, 1}, true},
	} {
		err := Quota{Usage: test.limit}.Check(test.used, test.more)
		if err != nil && !errors.Is(err, ErrOverQuota) || (err != nil) != test.over {
			t.Errorf("limit %v, used %v, %v more: %v", test.limit, test.used, test.more, err)
		}
	}
}

func TestQuotaIgnores(t *testing.T) {
	q := Quota{Ignore: []string{"Trash", "Lists/Go"}}
	for folder, want := range map[string]bool{
		"": false, "Trash": true, "Trash/Old": true, "Trashy": false, "trash": false, "Lists": false, "Lists/Go": true,
	} {
		if q.Ignores(folder) != want {
			t.Errorf("%q ignored: %v", folder, !want)
		}
	}
}
