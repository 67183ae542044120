package kosmos

import (
	"bytes"
	"strings"

	"idgate/app/idv"
)

// document holds what we read of a document object; document numbers and images are not among it.
type document struct {
	fields                                                       int // how many fields it had, known or not
	kinds                                                        []*text
	firstName, givenName, middleName, lastName, family, fullName text
	dob, doe                                                     text
	street, city, residenceCity, state, zip, residenceZip        text
	country                                                      text
	nested                                                       map[string]*document
}

// UnmarshalJSON reads an object. null leaves the document without fields, which is as good as absent.
func (d *document) UnmarshalJSON(data []byte) error { return d.read(data, true) }

func (d *document) read(data []byte, mayNest bool) error {
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	return object(data, func(name string) any {
		d.fields++
		switch name {
		case "type", "documentType":
			d.kinds = append(d.kinds, new(text))
			return d.kinds[len(d.kinds)-1]
		case "firstName":
			return &d.firstName
		case "givenName":
			return &d.givenName
		case "middleName":
			return &d.middleName
		case "lastName":
			return &d.lastName
		case "familyName":
			return &d.family
		case "fullName":
			return &d.fullName
		case "dob":
			return &d.dob
		case "doe":
			return &d.doe
		case "street":
			return &d.street
		case "city":
			return &d.city
		case "residenceCity":
			return &d.residenceCity
		case "state":
			return &d.state
		case "zipCode":
			return &d.zip
		case "residenceZipCode":
			return &d.residenceZip
		case "country":
			return &d.country
		case "dl_object", "ppt_object", "idcard_object":
			if !mayNest {
				return nil
			}
			if d.nested == nil {
				d.nested = make(map[string]*document)
			}
			d.nested[name] = new(document)
			return (*flatDocument)(d.nested[name])
		}
		return nil
	})
}

// flatDocument is a document inside a document. It holds no third: every level is read once more than the one around it,
// and an answer of ten thousand levels must not cost the square of its length.
type flatDocument document

func (d *flatDocument) UnmarshalJSON(data []byte) error { return (*document)(d).read(data, false) }

// kind is the kind the document says it is: empty when it says nothing that we know, "?" when it says two things.
func (d *document) kind() string {
	var found string
	for _, t := range d.kinds {
		k := kindNamed(*t)
		if k == "" || k == found {
			continue
		}
		if found != "" {
			return "?"
		}
		found = k
	}
	return found
}

func kindNamed(t text) string {
	letters := strings.Map(func(c rune) rune {
		if c < 'a' || c > 'z' {
			return -1
		}
		return c
	}, strings.ToLower(string(t)))
	switch letters {
	case "dl", "dlobject", "driverlicense", "driverslicense", "drivinglicense", "drivinglicence":
		return "dl_object"
	case "ppt", "pptobject", "passport":
		return "ppt_object"
	case "idcard", "idcardobject", "identitycard", "nationalid":
		return "idcard_object"
	}
	return ""
}

func (d *document) person() *idv.Person {
	birth, err := idv.ParseDate(string(d.dob))
	if err != nil {
		birth = idv.Date{} // an age of 0, which satisfies no least age
	}
	return &idv.Person{
		GivenName:  first(d.firstName, d.givenName),
		MiddleName: string(d.middleName),
		FamilyName: first(d.lastName, d.family),
		FullName:   string(d.fullName),
		Birth:      birth,
		Street:     string(d.street),
		City:       first(d.city, d.residenceCity),
		State:      string(d.state),
		Zip:        first(d.zip, d.residenceZip),
		Country:    string(d.country),
	}
}

func first(a, b text) string {
	if a != "" {
		return string(a)
	}
	return string(b)
}

// selfie is a LiveID object. It counts as captured when it names an id, who proofed it, or carries a face; an object
// without any of them says nothing.
type selfie struct{ captured bool }

func (s *selfie) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	var id, proofedBy, face filled
	err := object(data, func(name string) any {
		switch name {
		case "id":
			return &id
		case "proofedBy":
			return &proofedBy
		case "face":
			return &face
		}
		return nil
	})
	s.captured = bool(id || proofedBy || face)
	return err
}

// errorInfo is the v3 shape's object around a reason code.
type errorInfo text

func (e *errorInfo) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	return object(data, func(name string) any {
		if name == "reasonCode" {
			return (*text)(e)
		}
		return nil
	})
}
