// Colors and markers of the points, and the legend that says what they mean.
const MOST_IN_LEGEND = 40;

function colorBy(by, samples) {
  const coloring = coloringBy(by, samples);
  const [color, marker] = [0, 1].map((k) => coloring.looks.map((look) => look[k]));
  samples.source.data = { ...samples.source.data, color, marker };
  for (const list of document.querySelectorAll(".legend")) list.replaceChildren(...coloring.legend.map(legendEntry));
}

// Returns `looks`, [color, marker] of each sample, and `legend`, [text, color, marker] of each entry.
function coloringBy(by, samples) {
  if (by === "outcome") return byOutcome(samples);
  return samples.isClass(by) ? byClass(by, samples) : bySize(by, samples);
}

function outcomes({ data, classification }) {
  const texts = classification ? ["correct", "wrong"] : ["predicted too low", "predicted too high"];
  return texts.map((text, k) => [text, data.colors[k], k ? "x" : "circle"]);
}

function byOutcome(samples) {
  const legend = outcomes(samples);
  return { looks: samples.all.map((i) => legend[Number(samples.wrong[i])].slice(1)), legend };
}

function byClass(by, samples) {
  const { colors, markers, classes } = samples.data;
  const labels = samples.column(by);
  const lookOf = (k) => [colors[k % colors.length], markers[k % markers.length]];
  const present = [...new Set(labels)].sort((a, b) => a - b);
  const legend = present.slice(0, MOST_IN_LEGEND).map((k) => [classes[k], ...lookOf(k)]);
  const others = present.length - MOST_IN_LEGEND;
  if (others > 0) legend.push([`and ${others} more classes`, "none", "circle"]);
  return { looks: samples.all.map((i) => lookOf(labels[i])), legend };
}

function bySize(by, samples) {
  const { ramp } = samples.data;
  const values = by === "size" ? Array.from(samples.column("residual"), Math.abs) : Array.from(samples.column(by));
  const largest = values.filter(Number.isFinite).reduce((a, b) => Math.max(a, b), 0) || 1;
  const shade = (value) => ramp[Math.round(Math.max(0, value / largest) * (ramp.length - 1)) || 0];
  const markers = outcomes(samples).map(([, , marker]) => marker);
  return {
    looks: samples.all.map((i) => [shade(values[i]), markers[Number(samples.wrong[i])]]),
    legend: [0, 0.5, 1].map((share) => [(share * largest).toPrecision(2), shade(share * largest), "square"]),
  };
}

const MARKER_PATHS = {
  circle: "M6 1a5 5 0 1 0 .01 0z",
  square: "M1.5 1.5h9v9h-9z",
  triangle: "M6 1l5 9.5H1z",
  diamond: "M6 0l5 6-5 6-5-6z",
  inverted_triangle: "M6 11L1 1.5h10z",
  plus: "M5 1h2v4h4v2H7v4H5V7H1V5h4z",
  x: "M2.2 1L6 4.8 9.8 1 11 2.2 7.2 6 11 9.8 9.8 11 6 7.2 2.2 11 1 9.8 4.8 6 1 2.2z",
  star: "M6 0l1.6 4H12L8.5 6.8 10 11.5 6 8.7l-4 2.8 1.5-4.7L0 4h4.4z",
};

function legendEntry([text, fill, marker]) {
  const svg = makeSvg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" });
  svg.append(makeSvg("path", { d: MARKER_PATHS[marker], fill }));
  const entry = make("li");
  entry.append(svg, make("span", text));
  return entry;
}
