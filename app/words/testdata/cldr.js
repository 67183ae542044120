// Writes cldr.json: what another implementation of CLDR (ICU, in Node) says about the languages. Run: node cldr.js > cldr.json
'use strict';
const tags = ['en', 'es', 'fr', 'de', 'nl', 'it', 'pt-BR', 'ja', 'ar'];
const counts = [...Array(131).keys(), 200, 999, 10000, 12345, 1234567];
const say = (tag) => {
  const latn = (tag === 'en' ? 'en-GB' : tag) + '-u-nu-latn';
  const date = new Intl.DateTimeFormat(latn, { dateStyle: 'long', timeZone: 'UTC' });
  const either = new Intl.ListFormat(latn, { type: 'disjunction' });
  const plural = new Intl.PluralRules(tag);
  return {
    dates: [...Array(12).keys()].map((month) => date.format(Date.UTC(2026, month, 22))),
    plurals: Object.fromEntries(counts.map((n) => [n, plural.select(n)])),
    numbers: Object.fromEntries(counts.map((n) => [n, new Intl.NumberFormat(latn).format(n)])),
    either: [['a', 'b'], ['a', 'b', 'c']].map((items) => either.format(items)),
    dir: new Intl.Locale(tag).textInfo.direction,
    name: new Intl.DisplayNames(tag, { type: 'language' }).of(tag),
  };
};
process.stdout.write(JSON.stringify(Object.fromEntries(tags.map((tag) => [tag, say(tag)])), null, 1) + '\n');
