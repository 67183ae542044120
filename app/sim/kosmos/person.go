package kosmos

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"time"
)

// Phase is how far a session has come.
type Phase string

const (
	Waiting   Phase = "waiting" // nobody has opened it
	Opened    Phase = "opened"
	InReview  Phase = "in review"
	Passed    Phase = "passed"
	Failed    Phase = "failed"
	Declined  Phase = "declined"
	Abandoned Phase = "abandoned"
	Expired   Phase = "expired"
)

// Session is one document session.
type Session struct {
	ID, URL                       string
	Document                      string // dl_object, ppt_object or idcard_object
	UserUID, Username             string
	FirstName, LastName           string // whom the caller, or the phone page's user, said it is about
	Phase                         Phase
	Person                        Person // empty until chosen
	CreatedAt, ExpiresAt          time.Time
	Polls                         int // results asked for
	number, successes, imageBytes int
}

// Person is whom the demo's user plays.
type Person string

const (
	PassesWithSelfie Person = "passes-with-selfie"
	Passes           Person = "passes"
	TooYoung         Person = "too-young"
	ExpiredDocument  Person = "expired-document"
	LatelyExpired    Person = "lately-expired"
	Glare            Person = "glare"
	OtherName        Person = "other-name"
	Fails            Person = "fails"
	GivesUp          Person = "gives-up"
	NeedsReview      Person = "needs-review"
	Declines         Person = "declines"
)

// character is what there is to a Person.
type character struct {
	Person Person
	Title  string // as the phone page offers it
	Story  string
	phase  Phase // where choosing them leads
	selfie bool
	age    int // in years, and some months
	valid  int // years the document is still valid; negative: has been expired
	reason string
}

func characters() []character {
	return []character{
		{PassesWithSelfie, "Passes, with a selfie", "A valid document and a live face that matches it.", Passed, true, 34, 4, ""},
		{Passes, "Passes, without a selfie", "A valid document; the camera is not turned on them.", Passed, false, 34, 4, ""},
		{TooYoung, "Is 17 years old", "All genuine, and not of age.", Passed, true, 17, 3, ""},
		{ExpiredDocument, "Has an expired document", "Genuine, but it ran out ten months ago.", Passed, true, 41, -1, "IDV0011"},
		{LatelyExpired, "Has a document that has just expired", "Genuine, but it ran out three weeks ago.", Passed, true, 41, 0, "IDV0011"},
		{Glare, "Takes pictures with glare", "Genuine, but the light covers the date until which it is valid.", Passed, true, 38, 4, "IDV0005"},
		{OtherName, "Is somebody else", "All genuine, in another person's name and at another address.", Passed, true, 52, 5, ""},
		{Fails, "Fails", "The document cannot be confirmed, however often they try.", Failed, true, 29, 2, "IDV0014"},
		{GivesUp, "Gives up", "Closes the page half way.", Abandoned, false, 29, 2, ""},
		{NeedsReview, "Needs a manual review", "A reviewer has to look; you play the reviewer.", InReview, true, 34, 4, ""},
		{Declines, "Declines", "Does not agree to be verified.", Declined, false, 34, 4, ""},
	}
}

func findCharacter(p Person) (character, bool) {
	for _, c := range characters() {
		if c.Person == p {
			return c, true
		}
	}
	return character{}, false
}

const defaultName = "Ada Lovelace"

// splitName takes the last word for the last name.
func splitName(name string) (first, last string) {
	words := strings.Fields(name)
	switch len(words) {
	case 0:
		return splitName(defaultName)
	case 1:
		return "", words[0]
	}
	return strings.Join(words[:len(words)-1], " "), words[len(words)-1]
}

// printed is the name on the document: in capitals, as on a licence, and for OtherName not the one expected.
func (s *Session) printed() (first, last string) {
	first, last = strings.ToUpper(s.FirstName), strings.ToUpper(s.LastName)
	if s.Person != OtherName {
		return first, last
	}
	if last == "HOPPER" {
		return "KATHERINE", "JOHNSON"
	}
	return "GRACE", "HOPPER"
}

// home is the address on the document, in capitals too: the first of Ada's in the simulated shop, and for OtherName another. A passport
// has none.
func (s *Session) home() map[string]any {
	street, city, county, state, zip := "12 ST JAMES'S SQUARE", "AUSTIN", "TRAVIS", "TX", "78701"
	if s.Person == OtherName {
		street, city, county, state, zip = "12 ANALYTICAL WAY", "SACRAMENTO", "SACRAMENTO", "CA", "95814"
	}
	if s.Document == "ppt_object" {
		street, city, county, state, zip = "", "", "", "", ""
	}
	return map[string]any{"street": street, "city": city, "residenceCity": city, "county": county, "state": state, "country": "USA", "zipCode": zip, "residenceZipCode": zip}
}

// expiry is the day the document runs out, or ran out.
func (c character) expiry(now time.Time) time.Time {
	if c.Person == LatelyExpired {
		return now.AddDate(0, 0, -21)
	}
	return now.AddDate(c.valid, 2, 3)
}

// document is what the document says. Its number and the images are noise.
func (s *Session) document(c character, now time.Time) map[string]any {
	first, last := s.printed()
	date := func(t time.Time) string { return t.Format("20060102") }
	names := map[string][2]string{ // type, documentType
		"dl_object": {"dl", "DL"}, "ppt_object": {"ppt", "PASSPORT"}, "idcard_object": {"idcard", "IDCARD"},
	}[s.Document]
	read := map[string]any{
		"type": names[0], "documentType": names[1], "category": "identity_document", "proofedBy": "blockid",
		"documentId": "D" + s.ID[:8], "id": "D" + s.ID[:8],
		"firstName": first, "givenName": first, "middleName": "",
		"lastName": last, "familyName": last, "fullName": strings.TrimSpace(first + " " + last),
		"dob":    date(now.AddDate(-c.age, -4, -9)),
		"doi":    date(now.AddDate(c.valid-5, -2, -3)),
		"doe":    date(c.expiry(now)),
		"gender": "X", "height": "170 cm", "eyeColor": "BRO",
		"placeOfBirth": "", "classificationCode": "C", "restrictionCode": "NONE", "complianceType": "F",
		"face": noise(s.imageBytes / 5), "image": noise(s.imageBytes / 5 * 2), "imageBack": noise(s.imageBytes / 5),
		"proof_jwt": jwt(map[string]any{"purpose": "document", "session": s.ID}),
	}
	maps.Copy(read, s.home())
	if c.Person == Glare {
		read["doe"] = ""
	}
	return read
}

func (s *Session) liveID() map[string]any {
	return map[string]any{
		"id": "L" + s.ID[:8], "type": "liveid", "category": "biometric", "proofedBy": "blockid", "face": noise(s.imageBytes / 5),
	}
}

// statusV1 and statusV3 are the words a result uses; see the package comment for which of them are guesses.
func (s *Session) statusV1() string {
	switch s.Phase {
	case Waiting:
		return "INPROGRESS"
	case Opened:
		return "In Progress"
	case InReview:
		return "In Review"
	case Passed:
		return "SUCCESS"
	case Failed:
		return "FAILED"
	case Declined:
		return "DECLINED"
	case Abandoned:
		return "ABANDONED"
	case Expired:
		return "EXPIRED"
	}
	return ""
}

func (s *Session) statusV3() string {
	if s.Phase == Waiting {
		return "Pending"
	}
	return s.statusV1()
}

// answerV1 is a result in the shape of the vendor's helpers.
func (s *Session) answerV1(now time.Time) map[string]any {
	a := map[string]any{
		"responseStatus": s.statusV1(), "sessionId": s.ID, "metadata": map[string]any{},
		"createdTS": s.CreatedAt.Unix(), "expiryTS": s.ExpiresAt.Unix(),
	}
	c, _ := findCharacter(s.Person)
	if s.Phase == Passed {
		a[s.Document] = s.document(c, now)
		if c.selfie {
			a["liveid_object"] = s.liveID()
		}
		a["token"] = jwt(map[string]any{"sessionId": s.ID, "purpose": "certificate"})
	}
	return a
}

// answerV3 is a result in the shape that the vendor's 2026 mobile app reads.
func (s *Session) answerV3(now time.Time) map[string]any {
	a := map[string]any{
		"sessionResult": s.statusV3(), "sessionId": s.ID, "createdTS": s.CreatedAt.Unix(), "expiryTS": s.ExpiresAt.Unix(),
	}
	c, _ := findCharacter(s.Person)
	switch {
	case s.Phase == Passed && c.reason != "", s.Phase == Failed && s.Person == Fails:
		a["sessionResult"] = "FAILED"
		a["errorInfo"] = map[string]any{"reasonCode": c.reason}
	case s.Phase == Passed:
		a["document"] = s.document(c, now)
		if c.selfie {
			a["liveId"] = s.liveID()
		}
		a["token"] = jwt(map[string]any{"sessionId": s.ID, "purpose": "certificate"})
	}
	return a
}

// noise is base64 that stands for an image, n characters long.
func noise(n int) string {
	raw := make([]byte, n/4*3)
	rand.Read(raw) // never fails
	copy(raw, "\xff\xd8\xff\xe0\x00\x10JFIF")
	return base64.StdEncoding.EncodeToString(raw)
}

// jwt looks like the vendor's HS256 tokens. The key is thrown away: nobody can check those of the vendor either.
func jwt(claims map[string]any) string {
	key := make([]byte, 32)
	rand.Read(key)
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part(marshal(claims))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + part(mac.Sum(nil))
}

// newUUID is a version 4 UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
