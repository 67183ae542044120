// Package sim is a BigCommerce on a laptop: one stateful, hostile platform behind HTTP, for the
// demo and as the other side of every test.
//
// A World holds shops, a clock, a seed and a queue of webhooks, all in memory. StoreHandler
// serves it: the OAuth token endpoint, the v2 and v3 REST API, each shop's control panel and its
// storefront. Deliver and Run send what the shops have to tell. Methods of Shop do what a
// merchant, a shopper or another app would do, and tell afterwards what was done by whom:
// OrderWrites, QuotaUse, MostAttributeWritesAtOnce, Deliveries. Every random choice comes from
// Options.Seed, which each fault logs; with requests in the same order and one sender, the same
// seed misbehaves in the same way.
//
// It imports nothing else of this program and shares no code with the client that it tests: the
// signatures, tokens and shapes are written again from the platform's documents. It is longer
// than a package here should be, because it stands for a platform.
//
// Its lies, beside those that the storefront lists:
//
//   - Everything is on one host and plain HTTP; webhook destinations and script sources must be
//     https on port 443, except under the app's own origin, which may be plain and on any port.
//   - The control panel has no sign-in and no roles; whoever opens it is the owner. Its bc-sdk.js
//     knows of a log-out by a button beside the frame.
//   - Prices include tax and no tax is ever shown. There are no coupons, gift certificates,
//     refunds, shipments, variants or stock. Shipping is flat. A currency's own rate is not fetched.
//   - PUT /v2/orders/{id} takes status_id, staff_notes and customer_message. The platform takes
//     more; here each other field is refused as an unwritable one is there, so that a client that
//     sends products or fees is caught.
//   - Unknown fields of v3 bodies are ignored, as there. v2 always answers JSON, never XML.
//   - What PUT /v2/customers/{id} does with custom_fields is not documented; it is refused with
//     400, or kept when the shop's switch is on.
//   - An order made by API gets its status at once and fires store/order/created only. Its prices
//     are not converted to its currency.
//   - store/order/updated fires on every write to an order's own fields; the documents' list of fields
//     has neither notes nor items nor the customer. A metafield write leaves date_modified alone.
//   - A captured payment moves an order that awaits payment, and leaves any other where it is. Which
//     it does is not documented.
//   - An archived order is still found by its number and can be written; one deleted for good is 404
//     and no event tells of it.
//   - A converted cart is 404 under /v3/carts and still there under /v3/checkouts, with its order_id.
//   - The orders of a deleted customer become a guest's, with their date_modified unchanged and no
//     event; with the shop's switch on they keep the number. Neither is documented.
//   - A hook is live at once, not within a minute; scripts appear at once, not after a cache.
//   - Webhooks go out one after the other, or with Options.Senders so many shops' at a time, wait
//     10 s for an answer, and are stamped anew on every retry. None of the three is documented.
//   - The block list judges a host per client over all shops, as documented; its memory is of
//     deliveries made here only.
//   - store/channel/… copies of events, transactions, refunds, messages and GraphQL do not exist.
//   - store/app/uninstalled is not fired by Uninstall (the platform documents it for cancelled
//     stores); Emit can send it, or anything else.
//   - A customer with no group limits shows no channel_ids. Two stores' e-mail rules (per channel)
//     are one rule here: unique per store.
//   - The limit of three concurrent requests, on PUT customers, POST attributes and PUT
//     attribute-values, is kept for each operation by itself and over all of a shop's clients; its
//     429 comes with the quota headers and without X-Retry-After. Only the number is documented.
//   - The Customer Login door compares request_ip with the address that the connection comes from, knows no IPv6 rules of
//     its own, and shows the sign-in page at once where the platform goes to /login.php.
//   - SetTokenScopes leaves the token good for the rest; when an app's registered scopes change, the
//     platform kills the token (RevokeToken).
//   - Metafields' batch operations are missing.
package sim
