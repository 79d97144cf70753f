// Axes of a plot: which numbers stand at them, and how they are drawn.
const MARGIN = { left: 62, right: 12, top: 8, bottom: 46 };
const FONT = "12px system-ui, sans-serif";

// Round numbers between two ends, about `wanted` of them.
function ticksBetween(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= rough * 0.999) || rough;
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9 && ticks.length < 50; k++) ticks.push(k * step);
  return { ticks, step };
}

function tickText(value, step) {
  const size = Math.max(Math.abs(value), step);
  if (size >= 1e6 || step < 1e-6) return value.toExponential(1).replace("-", "−");
  const digits = Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9)));
  return (Math.abs(value) < step / 1e6 ? 0 : value).toFixed(digits).replace("-", "−");
}

function drawAxes(context, plot, ink) {
  const { left, top, right, bottom } = plot.inner;
  context.font = FONT;
  context.lineWidth = 1;
  const across = ticksBetween(plot.range.left, plot.range.right, Math.max(2, (right - left) / 75));
  const up = ticksBetween(plot.range.bottom, plot.range.top, Math.max(2, (bottom - top) / 60));
  context.strokeStyle = ink.line;
  context.beginPath();
  for (const tick of across.ticks) line(context, plot.toX(tick), top, plot.toX(tick), bottom);
  for (const tick of up.ticks) line(context, left, plot.toY(tick), right, plot.toY(tick));
  context.stroke();
  context.fillStyle = ink.text;
  context.textAlign = "center";
  for (const tick of across.ticks) context.fillText(tickText(tick, across.step), plot.toX(tick), bottom + 16);
  context.fillText(plot.view.xLabel, (left + right) / 2, bottom + 36, right - left);
  context.textAlign = "right";
  for (const tick of up.ticks) context.fillText(tickText(tick, up.step), left - 6, plot.toY(tick) + 4);
  context.save();
  context.translate(13, (top + bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(plot.view.yLabel, 0, 0, bottom - top);
  context.restore();
}

function line(context, x1, y1, x2, y2) {
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
}
