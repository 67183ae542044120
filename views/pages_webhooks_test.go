package views

func webhookPages() []page {
	form := EndpointForm{URL: "https://erp.larkspur.example/idgate", Note: "The <b>ERP</b>", Types: []string{"order.held", "order.released"}}
	example := "{\n  \"type\": \"order.held\",\n  \"timestamp\": \"2026-03-10T15:12:00Z\",\n  \"data\": {\n    \"shop\": \"abc123\",\n    \"order_id\": 1046\n  }\n}"
	var endpoints []EndpointRow
	for i, s := range EndpointStates() {
		endpoints = append(endpoints, EndpointRow{ID: itoa(i + 1), URL: form.URL + "/a-long-path-that-goes-on-and-on-for-a-while-without-a-space?token=0123456789", Note: form.Note, State: s, Types: TellingTypes()[:1+i]})
	}
	endpoints[0].Waiting, endpoints[1].Failed, endpoints[2].Types = "12", "1,000+", TellingTypes()
	list := WebhooksData{Layout: layout("enforce"), Most: "5", Example: example, Form: EndpointForm{Types: TellingTypes()}}
	with := func(f func(*WebhooksData)) WebhooksData { d := list; f(&d); return d }

	var rows []DeliveryRow
	for i, s := range DeliveryStates() {
		rows = append(rows, DeliveryRow{ID: itoa(90 - i), EventID: "msg_9f86d081884c7d659a2feaa0c55ad015", Type: TellingTypes()[i], State: s, Tries: itoa(i), Made: monday, Tried: tuesday, Took: "1.204s"})
	}
	rows[0].Status, rows[1].Status, rows[1].Trouble, rows[1].Excerpt = "200", "503", "It answered 503; only 2xx counts.", "Sorry <b>we</b> are closed"
	rows[3].Next, rows[4].Soon, rows[4].Trouble = later, true, "No answer: timed out."
	one := EndpointData{Layout: layout("enforce"), ID: "2", URL: form.URL, State: "on", Form: form}
	detail := func(f func(*EndpointData)) EndpointData { d := one; f(&d); return d }
	delivery := DeliveryData{Layout: layout("enforce"), Endpoint: "2", URL: form.URL, On: true, Delivery: rows[1], Payload: example}
	viewed := delivery
	viewed.ReadOnly, viewed.Delivery = true, rows[3]
	first := delivery
	first.Delivery = DeliveryRow{ID: "91", EventID: rows[0].EventID, Type: "ping", State: "pending", Tries: "0", Made: monday, Soon: true}
	out := []page{
		{"webhooks-none", Webhooks(list)},
		{"webhooks-none-read-only", Webhooks(with(func(d *WebhooksData) { d.ReadOnly = true }))},
		{"webhooks-some", Webhooks(with(func(d *WebhooksData) { d.Endpoints, d.Layout = endpoints, flashed("enforce", "endpoint_removed", "3") }))},
		{"webhooks-full", Webhooks(with(func(d *WebhooksData) { d.Endpoints, d.Full = endpoints, true }))},
		{"webhooks-read-only", Webhooks(with(func(d *WebhooksData) { d.Endpoints, d.ReadOnly = endpoints, true }))},
		{"webhooks-suspended", Webhooks(with(func(d *WebhooksData) { d.Endpoints, d.ReadOnly, d.Layout = endpoints, true, refusedToken() }))},
		{"webhooks-refused", Webhooks(with(func(d *WebhooksData) {
			d.Form, d.Errors = EndpointForm{URL: "http://10.0.0.1/<b>", Note: "x"}, map[string]string{"url": "not_https", "types": "no_event", "note": "too_long:200"}
		}))},
		{"webhook-new", WebhookEndpoint(detail(func(d *EndpointData) { d.Layout, d.Unseen = flashed("enforce", "endpoint_added", "2"), true }))},
		{"webhook-secret", WebhookEndpoint(detail(func(d *EndpointData) { d.Secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" }))},
		{"webhook-log", WebhookEndpoint(detail(func(d *EndpointData) { d.Deliveries, d.Older, d.Failed, d.OldUntil = rows, "42", "3", later }))},
		{"webhook-failing", WebhookEndpoint(detail(func(d *EndpointData) {
			d.Deliveries, d.FailingSince, d.WaitUntil, d.OnlyFailed, d.Failed = rows[1:2], monday, tuesday, true, "1"
		}))},
		{"webhook-no-failed", WebhookEndpoint(detail(func(d *EndpointData) { d.OnlyFailed = true }))},
		{"webhook-end", WebhookEndpoint(detail(func(d *EndpointData) { d.Paged = true }))},
		{"webhook-paused", WebhookEndpoint(detail(func(d *EndpointData) { d.State, d.Layout = "paused", flashed("enforce", "endpoint_paused", "2") }))},
		{"webhook-gone", WebhookEndpoint(detail(func(d *EndpointData) { d.State, d.OffAt = "gone", tuesday }))},
		{"webhook-off", WebhookEndpoint(detail(func(d *EndpointData) { d.State, d.OffAt, d.Deliveries, d.Failed = "failing", tuesday, rows, "1,000+" }))},
		{"webhook-read-only", WebhookEndpoint(detail(func(d *EndpointData) { d.ReadOnly, d.Deliveries, d.Unseen = true, rows, true }))},
		{"webhook-refused", WebhookEndpoint(detail(func(d *EndpointData) {
			d.Form.URL, d.Errors = "ftp://x", map[string]string{"url": "not_a_url", "types": "unknown_choice"}
		}))},
		{"webhook-delivery", WebhookDelivery(delivery)},
		{"webhook-delivery-viewed", WebhookDelivery(viewed)},
		{"webhook-delivery-first", WebhookDelivery(first)},
	}
	for _, act := range EndpointActs() {
		out = append(out, page{"webhook-ask-" + act, AskEndpoint(AskEndpointData{Layout: layout("enforce"), ID: "2", URL: form.URL, Act: act, Waiting: "12"})})
	}
	return out
}
