// Numbers as people type and read them: read as common/curves/decimals.py reads, written as the server writes them.
const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)$/;
const PLACES = 9;

const plurals = new Intl.PluralRules(document.documentElement.lang || "en");
let style = { decimal: ".", group: ",", size: 3 };

/** The signs of the page's language, from the server: `size` digits make a group, none when it is 0. */
export function writeNumbersAs(chosen) {
  style = chosen;
}

export const rounded = (number) => Number(number.toFixed(PLACES));
export const shownShare = (share) => `${shown(Math.round(share * 100))}\u00a0%`;

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
}

export function pointsWords(points, forms) {
  return fill(forms[plurals.select(points)] ?? forms.other, { points: shown(points) });
}

/** A number to read, with groups; with so many decimals, or as many as it takes, three at most. */
export function shown(number, decimals = null) {
  const digits = decimals === null ? trimmed(Math.abs(number).toFixed(3)) : Math.abs(number).toFixed(decimals);
  const [whole, fraction] = digits.split(".");
  const grouped = style.size ? whole.replace(new RegExp(`\\B(?=(\\d{${style.size}})+$)`, "g"), style.group) : whole;
  return (number < 0 && Number(digits) ? "−" : "") + grouped + (fraction ? style.decimal + fraction : "");
}

export function readDecimal(text) {
  let bare = text.replace(/\s/g, "").replace("−", "-");
  const last = Math.max(bare.lastIndexOf(","), bare.lastIndexOf("."));
  if (last >= 0) {
    const sign = bare[last];
    const grouped = new RegExp(`^[+-]?\\d{1,3}(\\${sign}\\d{3})+$`).test(bare);
    if (grouped && (sign === style.group || bare.split(sign).length > 2)) bare = bare.replaceAll(sign, "");
    else bare = `${bare.slice(0, last).replaceAll(sign === "," ? "." : ",", "")}.${bare.slice(last + 1)}`;
  }
  return PLAIN.test(bare) ? Number(bare) : null;
}

/** A number as it is typed: no groups, no more decimals than it has. */
export function writeDecimal(number) {
  const digits = trimmed(number.toFixed(PLACES));
  return (digits === "-0" ? "0" : digits).replace(".", style.decimal);
}

function trimmed(digits) {
  return digits.replace(/\.?0+$/, "");
}

/** The next of 1, 2 and 5 times a power of ten. */
export function nice(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return rounded([1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9)) * power);
}

/** Round values between two others, about five, with their labels. */
export function ticks(low, high) {
  const step = nice((high - low) / (shown(high).length > 7 ? 3 : 5));
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  const found = [];
  for (let place = Math.ceil(low / step - 1e-9); place <= Math.floor(high / step + 1e-9); place += 1) {
    found.push([place * step, shown(place * step, decimals)]);
  }
  return found;
}
