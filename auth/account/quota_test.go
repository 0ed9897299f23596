package account

import "testing"

func TestQuotaRule(t *testing.T) {
	tests := []struct {
		rule string
		want Quota
	}{
		{"*:storage=1", Quota{Octets: 1024}},
		{"*:storage=1B", Quota{Octets: 1}},
		{"*:storage=1b", Quota{Octets: 1}},
		{"*:storage=3k", Quota{Octets: 3 << 10}},
		{"*:storage=3K", Quota{Octets: 3 << 10}},
		{"*:storage=3M", Quota{Octets: 3 << 20}},
		{"*:storage=3G", Quota{Octets: 3 << 30}},
		{"*:storage=3T", Quota{Octets: 3 << 40}},
		{"*:storage=3GB", Quota{Octets: 3 << 30}},
		{"*:storage=3GiB", Quota{Octets: 3 << 30}},
		{"?:storage=1M", Quota{Octets: 1 << 20}},
		{"*:bytes=1000", Quota{Octets: 1000}},
		{"*:bytes=1k", Quota{Octets: 1024}},
		{"*:messages=1000", Quota{Messages: 1000}},
		{"*:messages=1K", Quota{Messages: 1024}},
		{"*:storage=1G:messages=5", Quota{1 << 30, 5}},
		{"*:storage=0", Quota{Octets: Unlimited}},
		{"*:messages=unlimited", Quota{Messages: Unlimited}},
		{"*:ignore", Quota{Unlimited, Unlimited}},
		{"Trash:storage=+10%", Quota{}},
		{"Spam:ignore", Quota{}},
		{"*:bytes=9223372036854775807", Quota{Octets: 1<<63 - 1}},
	}
	for _, tt := range tests {
		var q Quota
		if err := q.addRule(tt.rule); err != nil || q != tt.want {
			t.Errorf("%s is %+v, %v; want %+v", tt.rule, q, err, tt.want)
		}
	}
}

func TestQuotaRuleThatCannotBe(t *testing.T) {
	for _, rule := range []string{
		"", "*", "1G", "*:", "*:storage", "*:storage=", "*:storage=G", "*:storage=-1", "*:storage=+1", "*:storage=1.5G",
		"*:storage=10%", "*:messages=10%", "*:storage=1X", "*:storage=1IB", "*:storage=1GG", "*:storage=1iB", "*:size=1",
		"*:storage=1G:", "*:storage=9223372036854775807", "*:bytes=9223372036854775808", "*:storage=9000000T", "*:backend=x",
		"*:storage= 1",
	} {
		var q Quota
		if err := q.addRule(rule); err == nil {
			t.Errorf("%q is %+v", rule, q)
		}
	}
}

func TestQuotaRuleRoundTrip(t *testing.T) {
	for _, want := range []Quota{{}, {1, 0}, {1023, 0}, {1024, 7}, {1 << 30, 0}, {3 << 50, 0}, {1<<63 - 1, 1<<63 - 1}, {0, 5}} {
		var got Quota
		text := want.rule()
		if text == "" {
			if want != got {
				t.Errorf("%+v has no rule", want)
			}
			continue
		}
		if err := got.addRule(text); err != nil || got != want {
			t.Errorf("%+v is %q is %+v, %v", want, text, got, err)
		}
	}
}
