package sim

import "strings"

// countries are those that the shops sell to, the shop's own first.
var countries = []country{
	{Code: "US", Name: "United States", HasPostalCodes: true, RequiresState: true, Subdivisions: regions(
		"AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|" +
			"DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|" +
			"LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|" +
			"NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|" +
			"OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|" +
			"UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming")},
	{Code: "CA", Name: "Canada", HasPostalCodes: true, RequiresState: true, Subdivisions: regions(
		"AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|NS Nova Scotia|ON Ontario|" +
			"PE Prince Edward Island|QC Quebec|SK Saskatchewan")},
	{Code: "AU", Name: "Australia", HasPostalCodes: true, RequiresState: true, Subdivisions: regions(
		"ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|SA South Australia|" +
			"TAS Tasmania|VIC Victoria|WA Western Australia")},
	{Code: "AT", Name: "Austria", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "BE", Name: "Belgium", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "DK", Name: "Denmark", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "FI", Name: "Finland", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "FR", Name: "France", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "DE", Name: "Germany", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "IE", Name: "Ireland", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "IT", Name: "Italy", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "JP", Name: "Japan", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "NL", Name: "Netherlands", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "NZ", Name: "New Zealand", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "NO", Name: "Norway", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "PL", Name: "Poland", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "PT", Name: "Portugal", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "ES", Name: "Spain", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "SE", Name: "Sweden", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "CH", Name: "Switzerland", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
	{Code: "GB", Name: "United Kingdom", HasPostalCodes: true, RequiresState: false, Subdivisions: []region{}},
}

// regions reads "CODE Name|CODE Name".
func regions(list string) []region {
	var out []region
	for _, entry := range strings.Split(list, "|") {
		code, name, _ := strings.Cut(entry, " ")
		out = append(out, region{Code: code, Name: name})
	}
	return out
}
