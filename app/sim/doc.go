// Package sim is a BigCommerce on a laptop: one stateful, hostile platform behind HTTP, for the
// demo and as the other side of every test.
//
// A World holds shops, a clock, a seed and a queue of webhooks, all in memory. StoreHandler
// serves it: the OAuth token endpoint, the v2 and v3 REST API, each shop's control panel and its
// storefront. Deliver and Run send what the shops have to tell. Methods of Shop do what a
// merchant, a shopper or another app would do. Every random choice comes from Options.Seed, which
// each fault logs; with requests in the same order, the same seed misbehaves in the same way.
//
// It imports nothing else of this program and shares no code with the client that it tests: the
// signatures, tokens and shapes are written again from the platform's documents. It is longer
// than a package here should be, because it stands for a platform.
//
// Its lies, beside those that the storefront lists:
//
//   - Everything is on one host and plain HTTP; webhook destinations and script sources must be
//     https on port 443, except under the app's own origin, which may be plain and on any port.
//   - The control panel has no sign-in, no roles and no bc-sdk.js; whoever opens it is the owner.
//   - Prices include tax and no tax is ever shown. There are no coupons, gift certificates,
//     refunds, shipments, variants or stock. Shipping is flat. A currency's own rate is not fetched.
//   - PUT /v2/orders/{id} takes status_id, staff_notes and customer_message. The platform takes
//     more; here each other field is refused as an unwritable one is there, so that a client that
//     sends products or fees is caught.
//   - Unknown fields of v3 bodies are ignored, as there. v2 always answers JSON, never XML.
//   - What PUT /v2/customers/{id} does with custom_fields is not documented; it is refused with
//     400, or kept when the shop's switch is on.
//   - An order made by API gets its status at once and fires store/order/created only.
//   - A converted cart is 404 under /v3/carts and still there under /v3/checkouts, with its order_id.
//   - A customer's deletion leaves the customer_id in its orders.
//   - A hook is live at once, not within a minute; scripts appear at once, not after a cache.
//   - Webhooks go out one after the other, not in parallel, wait 10 s for an answer, and are
//     stamped anew on every retry. None of the three is documented.
//   - The block list judges a host per client over all shops, as documented; its memory is of
//     deliveries made here only.
//   - store/channel/… copies of events, transactions, refunds, messages and GraphQL do not exist.
//   - store/app/uninstalled is not fired by Uninstall (the platform documents it for cancelled
//     stores); Emit can send it, or anything else.
//   - A customer with no group limits shows no channel_ids. Two stores' e-mail rules (per channel)
//     are one rule here: unique per store.
//   - The limit of three concurrent calls on customers and attributes is not enforced.
//   - Metafields' batch operations are missing.
package sim
