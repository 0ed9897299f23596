package smtp

import "testing"

// Words of the protocol are ASCII: letters that Unicode folds to ASCII ones are others.
func TestWordsAreASCII(t *testing.T) {
	if _, err := ParseNotify("ſUCCESS"); err == nil {
		t.Error("NOTIFY=ſUCCESS was taken")
	}
	if _, err := ParseRet("HDRſ"); err == nil {
		t.Error("RET=HDRſ was taken")
	}
	if _, err := ParseBody("8BıTMIME"); err == nil {
		t.Error("BODY=8BıTMIME was taken")
	}
	if (Path{Local: "poſtmaster"}).IsPostmaster() {
		t.Error("poſtmaster is taken for postmaster")
	}
	if p, _, err := ParsePath("<poſtmaster>", UTF8); err == nil {
		t.Errorf("poſtmaster without a domain was taken: %v", p)
	}
	if !EqualFold("LaSt", "LAST") || EqualFold("LAſT", "LAST") || EqualFold("LAS", "LAST") {
		t.Error("EqualFold")
	}
	if Upper("quit1é") != "QUIT1é" || Upper("QUIT") != "QUIT" {
		t.Error("Upper")
	}
}
