// Colors, markers and sizes of the points, and the legend that says what they mean.
const MOST_IN_LEGEND = 40;
const MARKERS = {
  circle: "M6 1a5 5 0 1 0 .01 0z",
  square: "M1.5 1.5h9v9h-9z",
  triangle: "M6 1l5 9.5H1z",
  diamond: "M6 0l5 6-5 6-5-6z",
  inverted: "M6 11L1 1.5h10z",
  plus: "M5 1h2v4h4v2H7v4H5V7H1V5h4z",
  x: "M2.2 1L6 4.8 9.8 1 11 2.2 7.2 6 11 9.8 9.8 11 6 7.2 2.2 11 1 9.8 4.8 6 1 2.2z",
  star: "M6 0l1.6 4H12L8.5 6.8 10 11.5 6 8.7l-4 2.8 1.5-4.7L0 4h4.4z",
};
const SHAPES = Object.keys(MARKERS);
const [CIRCLE, CROSS] = [SHAPES.indexOf("circle"), SHAPES.indexOf("x")];
const UNKNOWN = "#8a8a8a";
const [SMALL, USUAL, LARGE] = [2, 4, 9]; // pixels: radius of a marker

// Returns how the samples look: `palette` of colors, `color` and `shape` of each sample as places in the palette and in
// SHAPES, whether neighbors in the palette `blend` into each other, and the `legend` of [text, color, shape].
function looksBy(key, samples) {
  if (key === "outcome" || key === "correct") return byOutcome(samples);
  return samples.names(key) ? byName(key, samples) : bySize(key, samples);
}

function byOutcome(samples) {
  const [right, wrong] = samples.data.colors;
  const texts = samples.classification ? ["correct", "wrong"] : ["predicted too low, or exact", "predicted too high"];
  return {
    palette: [right, wrong],
    color: samples.wrong,
    shape: samples.wrong.map((one) => (one ? CROSS : CIRCLE)),
    blend: true,
    legend: [[texts[0], right, CIRCLE], [texts[1], wrong, CROSS]],
  };
}

function byName(key, samples) {
  const { colors } = samples.data;
  const names = samples.names(key);
  const values = samples.values(key);
  const place = (value) => (Number.isNaN(value) ? colors.length : value % colors.length);
  const shapeOf = (value) => (Number.isNaN(value) ? CIRCLE : value % SHAPES.length);
  const present = [...new Set(samples.shownValues(key))].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const legend = present.slice(0, MOST_IN_LEGEND).map((k) => [names[k], colors[place(k)], shapeOf(k)]);
  const others = present.length - MOST_IN_LEGEND;
  if (others > 0) legend.push([`and ${others} more`, "none", CIRCLE]);
  if (samples.shownValues(key).some(Number.isNaN)) legend.push(["missing", UNKNOWN, CIRCLE]);
  return { palette: [...colors, UNKNOWN], color: Uint8Array.from(values, place), shape: Uint8Array.from(values, shapeOf), blend: false, legend };
}

// From the 1st to the 99th percentile, as a few outliers would leave all others one color.
function bySize(key, samples) {
  const ramp = isDark() ? samples.data.ramps.dark : samples.data.ramps.light;
  const values = samples.values(key);
  const [low, high, clips] = usualRange(key, samples);
  const shadeOf = (value) => Math.round(shareOf(value, low, high) * (ramp.length - 1));
  const shape = samples.wrong.map((one) => (one ? CROSS : CIRCLE));
  const marks = [[low, clips && low > -Infinity ? "≤ " : ""], [(low + high) / 2, ""], [high, clips ? "≥ " : ""]];
  const legend = (low === high ? marks.slice(0, 1) : marks).map(([value, sign]) => [
    sign + shortNumber(key, value, samples), ramp[shadeOf(value)], SHAPES.indexOf("square"),
  ]);
  if (samples.shownValues(key).some(Number.isNaN)) legend.push(["missing", UNKNOWN, CIRCLE]);
  return {
    palette: [...ramp, UNKNOWN],
    color: Uint8Array.from(values, (value) => (Number.isNaN(value) ? ramp.length : shadeOf(value))),
    shape, blend: true, legend,
  };
}

const isDark = () => matchMedia("screen and (prefers-color-scheme: dark)").matches;

function usualRange(key, samples) {
  const values = samples.shownValues(key);
  const finite = values.filter(Number.isFinite).sort();
  if (!finite.length) return [0, 0, false];
  const at = (share) => finite[Math.round(share * (finite.length - 1))];
  const [first, last] = [finite[0], finite[finite.length - 1]];
  const [low, high] = [at(0.01), at(0.99)];
  return low === high ? [first, last, false] : [low, high, low > first || high < last];
}

const shareOf = (value, low, high) => (high > low ? Math.max(0, Math.min(1, (value - low) / (high - low))) : 0);

function shortNumber(key, value, samples) {
  if (samples.columns.get(key).kind === "date") return dateText(Math.round(value));
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

// Radius of each marker in pixels.
function radiiBy(key, samples) {
  if (!key) return null;
  const [low, high] = usualRange(key, samples);
  return Float32Array.from(samples.values(key), (value) =>
    (Number.isNaN(value) ? SMALL : SMALL + Math.round(shareOf(value, low, high) * (LARGE - SMALL))));
}

function legendEntry([text, fill, shape]) {
  const svg = makeSvg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" });
  svg.append(makeSvg("path", { d: MARKERS[SHAPES[shape]], fill }));
  const entry = make("li");
  entry.append(svg, make("span", text));
  return entry;
}
