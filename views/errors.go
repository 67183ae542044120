package views

import "strings"

// Errors beside a form's field. {n} is what follows the colon of the code.
var fieldErrors = map[string]string{
	"required":         "Fill this in.",
	"reason_required":  "Write down why. It is kept with the order.",
	"not_a_number":     "Enter a number, without signs or grouping.",
	"not_whole":        "Enter a whole number.",
	"not_an_order":     "Enter an order's number, digits only.",
	"negative":         "Enter a number that is not negative.",
	"too_small":        "Enter {n} or more.",
	"too_large":        "Enter {n} or less.",
	"too_long":         "Write at most {n} characters.",
	"too_many_digits":  "Enter at most {n} digits after the point.",
	"other_currency":   "Enter the amount in the shop's currency, {n}.",
	"unknown_choice":   "Choose one of the choices.",
	"not_a_host":       "Enter a host name such as verify.example.com, without https:// and without a path.",
	"host_refused":     "This host may not be used: it has to be public and answer over https.",
	"enter_again":      "Enter this again: a key is only ever used with the host it was entered for.",
	"search_anew":      "The search in this address cannot be read here. Enter what you look for again.",
	"not_searchable":   "Enter an order number, a customer number or a whole e-mail address.",
	"not_a_date":       "Enter a date such as 2026-03-09.",
	"before_from":      "Enter a date that is not before the first one.",
	"tenant_not_found": "1Kosmos knows no such tenant or community under this host.",
	"tenant_silent":    "This host did not answer as 1Kosmos does. Check the name, or try again in a few minutes.",
	"not_a_mailbox":    "Enter one mailbox, such as orders@example.com.",
	"not_a_time":       "Enter a date and a time, such as 2026-03-09 14:05.",
	"in_future":        "Enter a time that has passed.",
	"not_a_source":     "Enter sources by their names in BigCommerce, each at most {n} letters, digits, - or _.",
	"too_many":         "Enter at most {n}.",
	"not_a_url":        "Enter a whole address, such as https://erp.example.com/idgate, without a user name and without a #.",
	"not_https":        "Enter an address that begins with https://.",
	"port_refused":     "Use port 443, or one from 1024 on.",
	"no_event":         "Choose at least one.",
	"too_many_lines":   "Keep it to {n} lines, and import the rest in a second step.",
}

// FieldError puts what is wrong with a field in words. It takes one of FieldErrorCodes, with its number after a colon where it has
// one (too_large:120), or a whole phrase, which becomes a sentence: the policy's own checks are worded where their limits are.
func FieldError(code string) string {
	code = strings.TrimSpace(code)
	if code == "" {
		return ""
	}
	if strings.Contains(code, " ") {
		return strings.TrimSuffix(upperFirst(code), ".") + "."
	}
	name, n, _ := strings.Cut(code, ":")
	if text, ok := fieldErrors[name]; ok {
		if name == "too_many_digits" && n == "0" {
			return "Enter a whole amount, without a point."
		}
		return strings.ReplaceAll(oneOf(text, "{n}", n), "{n}", n)
	}
	return "This cannot be used (" + name + ")."
}

// FieldErrorCodes lists what can be wrong with a field.
func FieldErrorCodes() []string { return codes(fieldErrors) }

// errorWords is a page that only says no: what happened and what to do.
type errorWords struct{ title, what, next string }

const openFromApps = "Open idgate again from Apps in your BigCommerce control panel."

var pageErrors = map[string]errorWords{
	"install_refused":   {"idgate could not be installed", "BigCommerce did not confirm the installation.", "Start the installation again from the control panel. If it keeps failing, tell the people who run this idgate."},
	"scope_missing":     {"A permission is missing", "The installation did not grant everything idgate needs.", "Uninstall the app in the control panel and install it again; BigCommerce then asks for every permission."},
	"load_refused":      {"This link was not accepted", "It does not carry a valid signature from BigCommerce.", openFromApps},
	"token_expired":     {"This link is too old", "BigCommerce signed it too long ago.", openFromApps},
	"token_replayed":    {"This link was used before", "Each link from the control panel opens idgate once.", openFromApps},
	"not_installed":     {"idgate is not installed here", "This shop has no working installation.", "Install it from Apps in your BigCommerce control panel."},
	"signed_out":        {"You are signed out", "Your sign-in has ended, or your browser did not send it.", openFromApps},
	"suspended":         {"Nothing can be changed just now", "BigCommerce refuses our token for this shop, so nothing that you ask for could reach it.", "Install idgate again from Apps in your BigCommerce control panel, then try again."},
	"forbidden":         {"You may not do this", "Your sign-in does not reach this shop or this action.", "Ask the owner of the shop, or open idgate from the right control panel."},
	"cross_site":        {"This was not sent from idgate", "The form came from another site, so nothing was done.", openFromApps},
	"login_link":        {"This sign-in link has been used or has expired", "Each sign-in link works once and for a few minutes.", "Make another with “idgate login” on the machine that runs idgate."},
	"not_found":         {"There is nothing here", "The address is wrong, or what it named has been erased.", "Go back and choose another."},
	"method":            {"This address does not take that", "It answers another kind of request.", "Go back and use the page's own buttons."},
	"bad_request":       {"This could not be read", "What was sent is not what this address takes.", "Go back, reload the page and try again."},
	"too_large":         {"Too much was sent", "What was sent is over the limit for this address.", "Send less."},
	"busy":              {"Too busy right now", "More is waiting than can be answered in time. Nothing was lost.", "Try again in a few seconds."},
	"bigcommerce_down":  {"BigCommerce cannot be reached", "BigCommerce does not answer just now. Nothing was changed.", "Try again in a minute."},
	"bigcommerce_busy":  {"BigCommerce takes no more calls just now", "BigCommerce limits how often the shop's apps may call it, and that is used up. Nothing was changed.", "Try again in a minute."},
	"bigcommerce_odd":   {"BigCommerce's answer cannot be used", "BigCommerce answered with something else than was asked for. Nothing was changed, and it has been written to the log.", "Try again in a minute. If it keeps happening, tell the people who run this idgate."},
	"rate_limited":      {"Too many tries", "This was asked too often in a short time.", "Wait a minute and try again."},
	"internal":          {"Something went wrong on our side", "It has been written to the log.", "Try again. If it keeps happening, tell the people who run this idgate."},
	"unknown_shop":      {"Unknown shop", "No shop with this store hash uses this idgate.", "Check the store hash."},
	"capability_wrong":  {"This page may not do that", "What it was given is for something else.", "Reload the checkout and try again."},
	"capability_late":   {"This page has waited too long", "What it was given has expired.", "Reload the checkout and try again."},
	"customer_token":    {"You could not be recognised", "The sign-in of the shop was not accepted.", "Sign in to the shop again."},
	"retries_spent":     {"No more tries for this order", "The verification was tried as often as this shop allows.", "Please contact the shop."},
	"cart_not_found":    {"This cart is gone", "It was emptied, or it has become an order.", "Go back to the shop."},
	"provider_down":     {"The verification service cannot be reached", "It did not answer in time. This says nothing about you.", "Please try again in a few minutes."},
	"nothing_to_verify": {"There is nothing to verify", "This order does not wait for a verification.", "You can close this page."},
}

func pageError(code string) errorWords {
	if w, ok := pageErrors[code]; ok {
		return w
	}
	return pageErrors["internal"]
}

// ErrorText is a JSON error's message: what happened and what to do, in two sentences.
func ErrorText(code string) string {
	w := pageError(code)
	return w.what + " " + w.next
}

// ErrorCodes lists the errors with words. Any other code reads as “internal”.
func ErrorCodes() []string { return codes(pageErrors) }

// stuckReasons say why an outside change could not be made, and what the merchant can do about it.
var stuckReasons = map[string]Words{
	"custom_fields_refused": {Short: "BigCommerce refused custom_fields", Sentence: "BigCommerce's v2 customers endpoint does not take custom_fields on this shop.", Next: "Choose “Customer attributes” as the write-back target under Policy. The attributes are written already."},
	"scope_missing":         {Short: "A permission is missing", Sentence: "BigCommerce answered that the app may not do this.", Next: "Uninstall the app in the control panel and install it again; BigCommerce then asks for every permission."},
	"token_refused":         {Short: "BigCommerce no longer accepts the token", Sentence: "The app was uninstalled, or the shop's owner changed their e-mail address.", Next: "Open the app from the control panel, or install it again."},
	"not_found":             {Short: "It is no longer there", Sentence: "The order or customer has been deleted in the shop.", Next: "Nothing needs to be done; try again only if it has come back."},
	"refused":               {Short: "BigCommerce refused the change", Sentence: "BigCommerce found something wrong with what was sent.", Next: "Read what BigCommerce said; when it is put right, try again."},
	"gave_up":               {Short: "Tried for too long", Sentence: "BigCommerce did not take the change for as long as idgate tries.", Next: "Look at BigCommerce's status page; when the shop answers again, try again."},
}

// StuckWords says why an outside change is stuck and what its remedy is. For a code without words, what BigCommerce said has to do.
func StuckWords(code string) Words {
	w, ok := stuckReasons[code]
	if !ok {
		w = Words{Short: "Could not be written"}
	}
	w.Tone = "bad"
	return w
}

// StuckCodes lists why an outside change can be stuck.
func StuckCodes() []string { return codes(stuckReasons) }
