// Curves that are dragged, and the schedules that they are.

// A rate as a schedule spells it: short, and the same number to four digits.
const spell = (rate) => String(Number(rate.toPrecision(4)));

// The schedule that goes through points [[step, rate], …] in straight lines, and begins at the first of them. A line
// begins above 0; it may end there.
export function spec(points) {
  const highest = Math.max(...points.map(([, rate]) => rate));
  const least = highest * 1e-4 || 1e-9;
  const [[from, first], ...rest] = points;
  if (!rest.length) return spell(Math.max(first, least));
  const [[to, next], ...more] = rest;
  const a = Math.max(first, least);
  const flat = spell(a) === spell(next);
  const line = flat ? spell(a) : `linear(${spell(a)}, end=${spell(Math.max(next, 0))})`;
  if (!more.length) return line;
  return `sequence(${line}, ${to - from}, ${spec(rest)})`;
}

// A schedule without what goes without saying, as a person would write it; it reads back as the same one.
export function short(text) {
  return text
    .replaceAll(", over=100%", "")
    .replaceAll(", per=step", "")
    .replace(/\bconstant\(rate=([^()]*)\)/g, "$1")
    .replace(/\b(linear|cosine)\(initial=/g, "$1(")
    .replace(/\bsequence\(first=/g, "sequence(")
    .replace(/, for=([^,()]+), then=/g, ", $1, ");
}

// The rate at a step of a curve { steps, rates }, in straight lines between what is known.
export function rateAt({ steps, rates }, step) {
  if (step <= steps[0]) return rates[0];
  for (let at = 1; at < steps.length; at++) {
    if (step > steps[at]) continue;
    const share = (step - steps[at - 1]) / (steps[at] - steps[at - 1] || 1);
    return rates[at - 1] + share * (rates[at] - rates[at - 1]);
  }
  return rates.at(-1);
}

// Points of a curve between two steps, evenly spaced: the handles that are dragged.
export function handles(curve, from, to, count = 8) {
  const steps = Array.from({ length: count + 1 }, (_, at) => Math.round(from + (at / count) * (to - from)));
  return [...new Set(steps)].map((step) => [step, rateAt(curve, step)]);
}
