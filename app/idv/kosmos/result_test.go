package kosmos

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"idgate/app/idv"
)

const someID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

var today = idv.Date{Year: 2026, Month: time.June, Day: 15}

// about puts someID into an answer written without it.
func about(fields string) []byte { return []byte(`{"sessionId":"` + someID + `",` + fields + `}`) }

func TestStates(t *testing.T) {
	const doc = `,"dl_object":{"doe":"20300101"}`
	for _, c := range []struct {
		fields string
		want   idv.State
	}{
		{`"responseStatus":"INPROGRESS"`, idv.StateCreated},
		{`"responseStatus":"inprogress"`, idv.StateCreated},
		{`"sessionStatus":"Pending"`, idv.StateCreated},
		{`"sessionStatus":"In Progress"`, idv.StateStarted},
		{`"responseStatus":"IN_PROGRESS"`, idv.StateStarted},
		{`"responseStatus":"SUCCESS"` + doc, idv.StatePassed},
		{`"responseStatus":"success"` + doc, idv.StatePassed},
		{`"sessionResult":" Success "` + doc, idv.StatePassed},
		{`"sessionStatus":"Completed","verificationStatus":"Passed"` + doc, idv.StatePassed},
		{`"status":"Completed","verificationResult":"Passed"` + doc, idv.StatePassed},
		{`"responseStatus":"SUCCESS","sessionStatus":"Completed","verification":"PASSED"` + doc, idv.StatePassed},
		{`"sessionStatus":"Completed"` + doc, idv.StateProcessing},
		{`"sessionStatus":"Completed","verificationStatus":""` + doc, idv.StateProcessing},
		{`"sessionStatus":"Completed","verificationStatus":"Pending"` + doc, idv.StateProcessing},
		{`"sessionStatus":"Completed","verificationStatus":{"status":"Passed"}` + doc, idv.StateProcessing},
		{`"sessionStatus":"Completed","verificationStatus":"Passed","verificationResult":"Failed"` + doc, idv.StateProcessing},
		{`"sessionStatus":"Completed","verificationStatus":"Failed"` + doc, idv.StateFailed},
		{`"sessionStatus":"Completed","verificationStatus":"Not performed"` + doc, idv.StateFailed},
		{`"verificationStatus":"Passed","sessionStatus":"Pending"` + doc, idv.StateCreated},
		{`"responseStatus":"SUCCESS","verificationStatus":"Failed"` + doc, idv.StateProcessing},
		{`"responseStatus":"SUCCESS","sessionResult":"FAILED"` + doc, idv.StateProcessing},
		{`"responseStatus":"FAILED","sessionResult":"SUCCESS"` + doc, idv.StateProcessing},
		{`"responseStatus":"SUCCESS","sessionStatus":"Completed"` + doc, idv.StateProcessing},
		{`"responseStatus":"FAILED","verificationStatus":"Passed"` + doc, idv.StateProcessing},
		{`"status":"success"` + doc, idv.StateProcessing},
		{`"status":"SUCCESS","responseStatus":"INPROGRESS"` + doc, idv.StateCreated},
		{`"status":"SUCCESS","responseStatus":"FAILED"` + doc, idv.StateFailed},
		{`"responseStatus":"FAILED"`, idv.StateFailed},
		{`"responseStatus":"Declined"`, idv.StateDeclined},
		{`"responseStatus":"EXPIRED"`, idv.StateExpired},
		{`"responseStatus":"ABANDONED"`, idv.StateAbandoned},
		{`"responseStatus":"Pending Review"`, idv.StateReview},
		{`"responseStatus":"In Review"`, idv.StateReview},
		{`"responseStatus":"APPROVED"` + doc, idv.StateProcessing},
		{`"responseStatus":"SUCCESSFUL"` + doc, idv.StateProcessing},
		{`"responseStatus":"PASSED"` + doc, idv.StateProcessing},
		{`"responseStatus":"SUC CESS"` + doc, idv.StateProcessing},
		{`"responseStatus":200` + doc, idv.StateProcessing},
		{`"status":200` + doc, idv.StateProcessing},
	} {
		r, err := parseResult(about(c.fields), someID)
		if err != nil {
			t.Errorf("%s: %v", c.fields, err)
			continue
		}
		o, err := r.observe("dl_object", today)
		if err != nil || o.State != c.want || (o.Person != nil) != (c.want == idv.StatePassed) {
			t.Errorf("%s: %s, %v; want %s", c.fields, o.State, err, c.want)
		}
	}
}

func TestAnswersThatSayNothing(t *testing.T) {
	for name, answer := range map[string]string{
		"reflected":             `{"dvcID":"d","sessionId":"` + someID + `"}`,
		"reflected, dressed up": `{"dvcID":"d","sessionId":"` + someID + `","responseStatus":"SUCCESS","dl_object":{"doe":"20300101"}}`,
		"create reflected":      `{"sessionRequest":{},"sessionId":"` + someID + `","responseStatus":"SUCCESS"}`,
		"requestid reflected":   `{"ts":1781524800,"appid":"idgate","uuid":"` + someID + `"}`,
		"licence reflected":     `00000000-0000-4000-8000-000000000000`,
		"no status":             string(about(`"dl_object":{"doe":"20300101"}`)),
		"empty status":          string(about(`"responseStatus":""`)),
		"null status":           string(about(`"responseStatus":null`)),
		"true for a status":     string(about(`"responseStatus":true`)),
		"another session":       `{"sessionId":"00000000-0000-4000-8000-000000000000","responseStatus":"SUCCESS"}`,
		"no session":            `{"responseStatus":"SUCCESS"}`,
		"session in capitals":   `{"sessionId":"` + strings.ToUpper(someID) + `","responseStatus":"SUCCESS"}`,
		"session as list":       `{"sessionId":["` + someID + `"],"responseStatus":"SUCCESS"}`,
		"name in other case":    `{"SessionID":"` + someID + `","responseStatus":"SUCCESS"}`,
		"session twice":         `{"sessionId":"x","sessionId":"` + someID + `","responseStatus":"SUCCESS"}`,
		"status twice":          string(about(`"responseStatus":"FAILED","responseStatus":"SUCCESS"`)),
		"status twice, escaped": string(about(`"responseStatus":"FAILED","response\u0053tatus":"SUCCESS"`)),
		"document twice":        string(about(`"responseStatus":"SUCCESS","dl_object":{"doe":"20200101"},"dl_object":{"doe":"20300101"}`)),
		"expiry twice":          string(about(`"responseStatus":"SUCCESS","dl_object":{"doe":"20200101","doe":"20300101"}`)),
		"document as text":      string(about(`"responseStatus":"SUCCESS","dl_object":"20300101"`)),
		"document as list":      string(about(`"responseStatus":"SUCCESS","dl_object":[{"doe":"20300101"}]`)),
		"selfie as true":        string(about(`"responseStatus":"SUCCESS","liveid_object":true`)),
		"reason as text":        string(about(`"responseStatus":"FAILED","errorInfo":"IDV0011"`)),
		"nothing":               ``,
		"null":                  `null`,
		"a list":                `[]`,
		"text":                  `"SUCCESS"`,
		"cut off":               `{"sessionId":"` + someID + `","responseStatus":"SUCCESS"`,
		"two objects":           string(about(`"responseStatus":"SUCCESS"`)) + `{}`,
		"followed by a brace":   string(about(`"responseStatus":"SUCCESS"`)) + `}`,
		"too many fields":       string(about(`"responseStatus":"SUCCESS","dl_object":{` + manyFields(maxFields) + `"doe":"20300101"}`)),
		"deep":                  `{"x":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}`,
	} {
		r, err := parseResult([]byte(answer), someID)
		if err == nil {
			_, err = r.observe("dl_object", today)
		}
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), someID) || strings.Contains(err.Error(), "2030") {
			t.Errorf("%s: the error quotes the answer: %v", name, err)
		}
	}
	if _, err := parseResult([]byte(`{"sessionId":"","responseStatus":"SUCCESS"}`), ""); err == nil {
		t.Error("the empty session is somebody's")
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"x%d":1,`, i)
	}
	return b.String()
}

func TestFieldsAreCounted(t *testing.T) {
	r, err := parseResult(about(`"responseStatus":"SUCCESS","dl_object":{`+manyFields(maxFields-1)+`"doe":"20300101"}`), someID)
	if err != nil || r.documents["dl_object"].fields != maxFields {
		t.Errorf("the last field that is allowed: %v", err)
	}
}

func TestEvidence(t *testing.T) {
	const success = `"responseStatus":"SUCCESS",`
	for _, c := range []struct {
		name, kind, fields string
		state              idv.State
		reason             string
		evidence           idv.Evidence
	}{
		{"the helper's sample", "dl_object", success + `"dl_object":{"type":"DL","id":"D0000000","dob":"19900101","doe":"20300101","country":"USA"},` +
			`"liveid_object":{"id":"liveid","type":"face","category":"biometric","proofedBy":"blockid","face":""},"token":"synthetic","metadata":{}`,
			idv.StatePassed, "", idv.Evidence{Document: true, DocumentType: "driver_license", DocumentCountry: "USA", Selfie: true}},
		{"empty selfie", "dl_object", success + `"dl_object":{"doe":"20300101"},"liveid_object":{}`,
			idv.StatePassed, "", idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"null selfie", "dl_object", success + `"dl_object":{"doe":"20300101"},"liveid_object":null`,
			idv.StatePassed, "", idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"selfie of empty words", "dl_object", success + `"dl_object":{"doe":"20300101"},"liveid_object":{"id":"","face":"","proofedBy":null,"type":"face"}`,
			idv.StatePassed, "", idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"selfie by its face alone", "dl_object", success + `"dl_object":{"doe":"20300101"},"liveId":{"face":"/9j/"}`,
			idv.StatePassed, "", idv.Evidence{Document: true, DocumentType: "driver_license", Selfie: true}},
		{"valid till tomorrow", "dl_object", success + `"dl_object":{"doe":"20260616"}`,
			idv.StatePassed, "", idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"valid till today", "dl_object", success + `"dl_object":{"doe":"20260615"}`, idv.StateFailed, idv.ReasonExpiredDocument,
			idv.Evidence{Document: true, DocumentType: "driver_license", DocumentExpired: true}},
		{"expired", "ppt_object", success + `"ppt_object":{"doe":"20200101"},"liveid_object":{"id":"x"}`, idv.StateFailed, idv.ReasonExpiredDocument,
			idv.Evidence{Document: true, DocumentType: "passport", DocumentExpired: true, Selfie: true}},
		{"no expiry", "dl_object", success + `"dl_object":{"dob":"19900101"}`, idv.StateFailed, idv.ReasonUnreadableExpiry,
			idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"nonsense for an expiry", "dl_object", success + `"dl_object":{"doe":"99999999"}`, idv.StateFailed, idv.ReasonUnreadableExpiry,
			idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"expiry as object", "dl_object", success + `"dl_object":{"doe":{"y":2030}}`, idv.StateFailed, idv.ReasonUnreadableExpiry,
			idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"expiry as number", "dl_object", success + `"dl_object":{"doe":20300101}`, idv.StatePassed, "",
			idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"no document", "dl_object", success + `"token":"x"`, idv.StateFailed, idv.ReasonNoDocument, idv.Evidence{}},
		{"null document", "dl_object", success + `"dl_object":null`, idv.StateFailed, idv.ReasonNoDocument, idv.Evidence{}},
		{"empty document", "dl_object", success + `"dl_object":{}`, idv.StateFailed, idv.ReasonNoDocument, idv.Evidence{}},
		{"another kind", "dl_object", success + `"ppt_object":{"doe":"20300101"}`, idv.StateFailed, idv.ReasonWrongDocument, idv.Evidence{}},
		{"another kind by its own word", "dl_object", success + `"dl_object":{"type":"ppt","doe":"20300101"}`, idv.StateFailed, idv.ReasonWrongDocument, idv.Evidence{}},
		{"two kinds at once", "dl_object", success + `"dl_object":{"type":"dl","documentType":"Passport","doe":"20300101"}`, idv.StateFailed, idv.ReasonWrongDocument, idv.Evidence{}},
		{"two kinds at once, the right one last", "dl_object", success + `"dl_object":{"type":"Passport","documentType":"DL","doe":"20300101"}`, idv.StateFailed, idv.ReasonWrongDocument, idv.Evidence{}},
		{"the right one of two", "idcard_object", success + `"dl_object":{"doe":"20200101"},"idcard_object":{"doe":"20300101"}`, idv.StatePassed, "",
			idv.Evidence{Document: true, DocumentType: "id_card"}},
		{"v3 document", "ppt_object", `"sessionResult":"SUCCESS","document":{"type":"PPT","documentType":"Passport","doe":"20300101","country":"DEU"}`, idv.StatePassed, "",
			idv.Evidence{Document: true, DocumentType: "passport", DocumentCountry: "DEU"}},
		{"v3 document inside", "dl_object", `"sessionResult":"SUCCESS","document":{"dl_object":{"doe":"20300101"}}`, idv.StatePassed, "",
			idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"v3 document inside a document inside", "dl_object", `"sessionResult":"SUCCESS","document":{"ppt_object":{"dl_object":{"doe":"20300101"}}}`,
			idv.StateFailed, idv.ReasonWrongDocument, idv.Evidence{}},
		{"v3 document of no kind", "dl_object", `"sessionResult":"SUCCESS","document":{"doe":"20300101"}`, idv.StateFailed, idv.ReasonWrongDocument, idv.Evidence{}},
		{"v3 null document", "dl_object", `"sessionResult":"SUCCESS","document":null`, idv.StateFailed, idv.ReasonNoDocument, idv.Evidence{}},
		{"failed with an expired document", "dl_object", `"responseStatus":"FAILED","dl_object":{"doe":"20200101"}`, idv.StateFailed, idv.ReasonExpiredDocument,
			idv.Evidence{Document: true, DocumentType: "driver_license", DocumentExpired: true}},
		{"failed with a good document", "dl_object", `"responseStatus":"FAILED","dl_object":{"doe":"20300101"}`, idv.StateFailed, idv.ReasonNotVerified,
			idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"success with a reason", "dl_object", success + `"dl_object":{"doe":"20300101"},"errorInfo":{"reasonCode":"IDV0014"}`, idv.StateFailed, idv.ReasonRetriesExhausted,
			idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"success with an empty reason", "dl_object", success + `"dl_object":{"doe":"20300101"},"errorInfo":{"reasonCode":""}`, idv.StatePassed, "",
			idv.Evidence{Document: true, DocumentType: "driver_license"}},
		{"evidence of what is not decided", "dl_object", `"responseStatus":"In Review","dl_object":{"doe":"20300101"},"liveId":{"id":"x"}`, idv.StateReview, "", idv.Evidence{}},
	} {
		r, err := parseResult(about(c.fields), someID)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		o, err := r.observe(c.kind, today)
		state, why, evidence := weighed(o)
		if err != nil || state != c.state || why != c.reason || evidence != c.evidence {
			t.Errorf("%s: %v\n got %s %q %+v\nwant %s %q %+v", c.name, err, state, why, evidence, c.state, c.reason, c.evidence)
		}
		if _, ok := idv.Meets(o, idv.Need{}); ok != (c.state == idv.StatePassed) {
			t.Errorf("%s: Meets says %v", c.name, ok)
		}
	}
}

// weighed is an Observation as it stands after idv.Meets, without grace. The day of expiry is TestExpiry's.
func weighed(o idv.Observation) (idv.State, string, idv.Evidence) {
	o.Evidence.DocumentExpires = idv.Date{}
	if lacks, ok := idv.Meets(o, idv.Need{}); o.State == idv.StatePassed && !ok {
		return idv.StateFailed, lacks, o.Evidence
	}
	return o.State, o.ReasonCode, o.Evidence
}

// The document's own date is told as it is read, and what 1Kosmos said stays what it said: no grace makes a pass of anything else.
func TestExpiry(t *testing.T) {
	const success, failed = `"responseStatus":"SUCCESS",`, `"responseStatus":"FAILED",`
	on := func(y int, m time.Month, d int) idv.Date { return idv.Date{Year: y, Month: m, Day: d} }
	for _, c := range []struct {
		name, fields string
		state        idv.State
		reason       string
		expired      bool
		expires      idv.Date
		grace        bool // 90 days of it let the document pass
	}{
		{"good for years", success + `"dl_object":{"doe":"20300101"}`, idv.StatePassed, "", false, on(2030, 1, 1), true},
		{"till today", success + `"dl_object":{"doe":"20260615"}`, idv.StatePassed, "", true, on(2026, 6, 15), true},
		{"90 days ago", success + `"dl_object":{"doe":"20260317"}`, idv.StatePassed, "", true, on(2026, 3, 17), true},
		{"91 days ago", success + `"dl_object":{"doe":"20260316"}`, idv.StatePassed, "", true, on(2026, 3, 16), false},
		{"no date", success + `"dl_object":{"dob":"19900101"}`, idv.StateFailed, idv.ReasonUnreadableExpiry, false, idv.Date{}, false},
		{"an empty date", success + `"dl_object":{"doe":"","dob":"19900101"}`, idv.StateFailed, idv.ReasonUnreadableExpiry, false, idv.Date{}, false},
		{"a day that does not exist", success + `"dl_object":{"doe":"20260231"}`, idv.StateFailed, idv.ReasonUnreadableExpiry, false, idv.Date{}, false},
		{"a date as an object", success + `"dl_object":{"doe":{"y":2026}}`, idv.StateFailed, idv.ReasonUnreadableExpiry, false, idv.Date{}, false},
		{"1Kosmos says expired, with a date to come", success + `"dl_object":{"doe":"20300101"},"errorInfo":{"reasonCode":"IDV0011"}`,
			idv.StateFailed, idv.ReasonExpiredDocument, true, on(2030, 1, 1), false},
		{"1Kosmos says expired, since yesterday", success + `"dl_object":{"doe":"20260614"},"errorInfo":{"reasonCode":"IDV0011"}`,
			idv.StateFailed, idv.ReasonExpiredDocument, true, on(2026, 6, 14), false},
		{"1Kosmos says expired, without a date", success + `"dl_object":{"dob":"19900101"},"errorInfo":{"reasonCode":"IDV0011"}`,
			idv.StateFailed, idv.ReasonExpiredDocument, true, idv.Date{}, false},
		{"failed, since yesterday", failed + `"dl_object":{"doe":"20260614"}`, idv.StateFailed, idv.ReasonExpiredDocument, true, on(2026, 6, 14), false},
		{"failed for another reason, since yesterday", success + `"dl_object":{"doe":"20260614"},"errorInfo":{"reasonCode":"IDV0014"}`,
			idv.StateFailed, idv.ReasonRetriesExhausted, true, on(2026, 6, 14), false},
		{"another kind, since yesterday", success + `"ppt_object":{"doe":"20260614"}`, idv.StateFailed, idv.ReasonWrongDocument, false, idv.Date{}, false},
		{"of the vendor's v3", `"sessionResult":"FAILED","errorInfo":{"reasonCode":"IDV0011"}`, idv.StateFailed, idv.ReasonExpiredDocument, true, idv.Date{}, false},
	} {
		r, err := parseResult(about(c.fields), someID)
		if err != nil {
			t.Fatal(c.name, err)
		}
		o, err := r.observe("dl_object", today)
		if err != nil || o.State != c.state || o.ReasonCode != c.reason || o.Evidence.DocumentExpired != c.expired || o.Evidence.DocumentExpires != c.expires {
			t.Errorf("%s: %v, %s %q %+v", c.name, err, o.State, o.ReasonCode, o.Evidence)
		}
		if _, ok := idv.Meets(o, idv.Need{Grace: 90, Today: today}); ok != c.grace {
			t.Errorf("%s, with 90 days of grace: %v", c.name, ok)
		}
		if _, ok := idv.Meets(o, idv.Need{Today: today}); ok != (c.grace && !c.expired) {
			t.Errorf("%s, without grace: %v", c.name, ok)
		}
	}
}

func TestReasonCodes(t *testing.T) {
	for code, want := range map[string]string{
		"IDV0005": idv.ReasonNotADocument, "IDV0006": idv.ReasonUnsupportedDocument, "IDV0015": idv.ReasonUnsupportedDocument,
		"IDV0011": idv.ReasonExpiredDocument, "IDV0014": idv.ReasonRetriesExhausted, "idv0011": idv.ReasonExpiredDocument,
		"IDV0001": "idv0001", "IDV0012": "idv0012", "IDV9999": "idv9999",
		"IDV00011": "", "IDV": "", "<script>": "", "": "", "xIDV0001": "",
	} {
		if got := reason(text(code)); got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
	for fields, want := range map[string]string{
		`"errorInfo":{"reasonCode":"IDV0005","message":"x"}`: idv.ReasonNotADocument,
		`"errorInfo":{"reasonCode":"whatever"}`:              idv.ReasonNotVerified,
		`"errorInfo":{}`:                                     idv.ReasonNotVerified,
		`"errorInfo":null`:                                   idv.ReasonNotVerified,
	} {
		r, err := parseResult(about(`"sessionResult":"FAILED",`+fields), someID)
		if err != nil {
			t.Fatal(err)
		}
		if o, err := r.observe("dl_object", today); err != nil || o.ReasonCode != want {
			t.Errorf("%s: %q, %v; want %q", fields, o.ReasonCode, err, want)
		}
	}
}

func TestPerson(t *testing.T) {
	long := strings.Repeat("x", 600)
	for _, c := range []struct {
		name, fields string
		want         idv.Person
	}{
		{"all", `"firstName":"Ada","givenName":"Augusta","middleName":"King","lastName":"Lovelace","familyName":"Byron","fullName":"Ada King Lovelace","dob":"19851210",` +
			`"street":"12 Way","city":"London","residenceCity":"Ockham","state":"CA","zipCode":"95814","residenceZipCode":"1","country":"USA"`,
			idv.Person{GivenName: "Ada", MiddleName: "King", FamilyName: "Lovelace", FullName: "Ada King Lovelace", Birth: idv.Date{Year: 1985, Month: 12, Day: 10},
				Street: "12 Way", City: "London", State: "CA", Zip: "95814", Country: "USA"}},
		{"second names for things", `"givenName":"Ada","familyName":"Byron","residenceCity":"Ockham","residenceZipCode":95814,"dob":"1985-12-10"`,
			idv.Person{GivenName: "Ada", FamilyName: "Byron", City: "Ockham", Zip: "95814", Birth: idv.Date{Year: 1985, Month: 12, Day: 10}}},
		{"nothing usable", `"firstName":null,"lastName":["x"],"fullName":"a\u0000b","street":"` + long + `","dob":"unknown","city":"` + strings.Repeat(`\u0041`, 600) + `"`,
			idv.Person{}},
	} {
		r, err := parseResult(about(`"responseStatus":"SUCCESS","dl_object":{"doe":"20300101",`+c.fields+`}`), someID)
		if err != nil {
			t.Fatal(err)
		}
		if o, err := r.observe("dl_object", today); err != nil || *o.Person != c.want {
			t.Errorf("%s: %v\n got %+v\nwant %+v", c.name, err, o.Person, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	want := time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Time{
		`1781524800`: want, `"1781524800"`: want, `1781524800000`: want, `"2026-06-15T12:00:00Z"`: want, `"2026-06-15T14:00:00+02:00"`: want,
		`0`: {}, `-1`: {}, `""`: {}, `null`: {}, `"soon"`: {}, `1e300`: {}, `99999999999999999`: {}, `{}`: {}, `true`: {},
	} {
		r, err := parseResult(about(`"responseStatus":"INPROGRESS","createdTS":`+value+`,"expiryTS":`+value), someID)
		if err != nil {
			t.Fatal(err)
		}
		o, err := r.observe("dl_object", today)
		if err != nil || o.ProviderCreatedAt != want || o.ProviderExpiresAt != want {
			t.Errorf("%s: %v %v %v, want %v", value, o.ProviderCreatedAt, o.ProviderExpiresAt, err, want)
		}
	}
}
