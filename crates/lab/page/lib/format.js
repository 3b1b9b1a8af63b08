// Numbers and times for people.

// A number with the digits that it deserves.
export function number(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(Math.min(digits - 1, 2)).replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}

export function percent(value) {
  return Number.isFinite(value) ? `${(100 * value).toFixed(1)}%` : "–";
}

// How long ago something was, in the language of the page.
export function ago(seconds, lang) {
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const passed = Math.max(0, Date.now() / 1000 - seconds);
  const [unit, size] = units.find(([, size]) => passed >= size) ?? units[3];
  return new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" }).format(-Math.floor(passed / size), unit);
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 60) return `${number(seconds, 3)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// The figure to judge by: accuracy, R², or the first that there is.
export function score(metrics) {
  if (!metrics) return null;
  for (const key of ["accuracy", "r2"]) if (Number.isFinite(metrics[key])) return { key, value: metrics[key] };
  const first = Object.entries(metrics).find(([, value]) => Number.isFinite(value));
  return first ? { key: first[0], value: first[1] } : null;
}

const METRICS = ["accuracy", "balanced_accuracy", "macro_f1", "macro_precision", "macro_recall", "roc_auc", "r2", "rmse", "mae"];

// What a metric is called; one of somebody's own is called as they do.
export const metric = (key, t) => (METRICS.includes(key) ? t(`metric-${key.replaceAll("_", "-")}`) : key);
