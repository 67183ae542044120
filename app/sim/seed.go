package sim

import (
	"fmt"
	"time"
)

// DemoPassword opens every seeded customer's account.
const DemoPassword = "demo"

type seedProduct struct {
	name, sku, category, brand, color, description string
	cents                                          int64
	digital                                        bool
}

var seedProducts = []seedProduct{
	{"Coffee beans", "COF-250", "Pantry", "Copper Kettle", "#6f4e37", "250 g, roasted on Tuesday.", 1200, false},
	{"Stoneware mug", "MUG-01", "Kitchen", "Copper Kettle", "#5b7f95", "Holds 300 ml and keeps it warm.", 1850, false},
	{"Linen apron", "APR-02", "Kitchen", "Fold & Hem", "#b7a98f", "Washed linen, one size.", 4200, false},
	{"Chef's knife", "KNF-20", "Kitchen", "Harbour Steel", "#7a7f87", "20 cm blade. Sold to adults only.", 13900, false},
	{"Single malt whisky", "WHI-12", "Alcohol", "Glen Orrin", "#b8732b", "12 years in oak, 70 cl, 43 %.", 5900, false},
	{"Espresso machine", "ESP-01", "Kitchen", "Harbour Steel", "#3d4a52", "Two boilers and one lever.", 64900, false},
	{"Diver's watch", "WAT-300", "Jewellery", "Meridian", "#1f3a5f", "Automatic, steel, good to 300 m.", 89900, false},
	{"Barista course (video)", "VID-01", "Courses", "Copper Kettle", "#8a5a83", "Six lessons to download.", 2900, true},
}

// SeedDemo fills a shop with a catalogue, customers whose password is DemoPassword, and orders of
// the last weeks. Nothing is told to webhooks that already exist: call it before the app is installed.
func SeedDemo(s *Shop) error {
	categories, brands, ids := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, p := range seedProducts {
		if categories[p.category] == 0 {
			categories[p.category] = s.AddCategory(p.category)
		}
		if brands[p.brand] == 0 {
			brands[p.brand] = s.AddBrand(p.brand)
		}
		ids[p.sku] = s.AddProduct(Product{
			Name: p.name, SKU: p.sku, Description: p.description, Price: Cents(p.cents),
			Categories: []int64{categories[p.category]}, BrandID: brands[p.brand], Digital: p.digital, Color: p.color,
		}).ID
	}
	customers, err := seedCustomers(s)
	if err != nil {
		return err
	}
	return seedOrders(s, customers, ids)
}

func seedCustomers(s *Shop) ([]Customer, error) {
	people := []Customer{
		person("Ada", "Lovelace", "ada@example.com", "12 St James's Square", "Austin", "Texas", "TX", "78701"),
		person("Grace", "Hopper", "grace@example.com", "1906 Harbor Street", "New York", "New York", "NY", "10001"),
		person("Alan", "Turing", "alan@example.com", "23 Bletchley Road", "Portland", "Oregon", "OR", "97201"),
		person("Mary", "Somerville", "mary@example.com", "8 Jedburgh Lane", "Salt Lake City", "Utah", "UT", "84101"),
		person("Katherine", "Johnson", "katherine@example.com", "1918 Orbit Avenue", "Hampton", "Virginia", "VA", "23661"),
	}
	people[4].GroupID = 2
	for i, p := range people {
		p.Created = s.w.now().Add(-time.Duration(60-i) * 24 * time.Hour)
		c, err := s.CreateCustomer(p)
		if err != nil {
			return nil, fmt.Errorf("seeding customers: %w", err)
		}
		people[i] = c
	}
	return people, nil
}

func person(first, last, email, street, city, state, code, zip string) Customer {
	return Customer{
		FirstName: first, LastName: last, Email: email, Password: DemoPassword, Phone: "15125550100",
		Addresses: []Address{{
			FirstName: first, LastName: last, Street1: street, City: city, State: state, StateCode: code, Zip: zip,
			Country: "United States", CountryCode: "US", Phone: "15125550100",
		}},
	}
}

// BillingOf is a customer's first address with the account's e-mail address.
func BillingOf(c Customer) Address {
	a := Address{FirstName: c.FirstName, LastName: c.LastName, Country: "United States", CountryCode: "US"}
	if len(c.Addresses) > 0 {
		a = c.Addresses[0]
	}
	a.ID, a.Email = 0, c.Email
	return a
}

func seedOrders(s *Shop, customers []Customer, ids map[string]int64) error {
	guest := person("Nikola", "Guest", "nikola@example.net", "5 Tower Road", "Denver", "Colorado", "CO", "80202")
	past := []struct {
		days   int
		who    int // index of customers; -1 is the guest
		sku    string
		qty    int
		status int
		source string
	}{
		{41, 0, "COF-250", 2, StatusShipped, "www"},
		{34, 1, "WHI-12", 1, StatusShipped, "www"},
		{29, 2, "MUG-01", 4, StatusShipped, "iphone"},
		{22, -1, "KNF-20", 1, StatusRefunded, "www"},
		{17, 3, "VID-01", 1, StatusCompleted, "www"},
		{12, 0, "ESP-01", 1, StatusShipped, "www"},
		{8, 4, "WHI-12", 3, StatusCancelled, "manual"},
		{5, 1, "WAT-300", 1, StatusShipped, "www"},
		{2, -1, "COF-250", 1, StatusShipped, "www"},
	}
	for _, p := range past {
		a := APIOrder{
			Billing: BillingOf(guest), Items: []APIItem{{ProductID: ids[p.sku], Quantity: p.qty}}, StatusID: &p.status, Source: p.source,
			At: s.w.now().Add(-time.Duration(p.days)*24*time.Hour - time.Duration(p.qty)*83*time.Minute),
		}
		if p.who >= 0 {
			a.CustomerID, a.Billing = customers[p.who].ID, BillingOf(customers[p.who])
		}
		if _, err := s.PlaceOrderByAPI(a); err != nil {
			return fmt.Errorf("seeding orders: %w", err)
		}
	}
	return nil
}
