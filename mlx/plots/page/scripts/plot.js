// One plot of samples on a canvas, with a second one above it for what the pointer and the keyboard are at.
const MOST_MARKERS = 5000; // more of them in view are drawn as a density
const MOST_RARE = 1500; // of the wrong ones, which are drawn above a density
const HEIGHT = 380;

class Plot {
  constructor(view, samples, selection) {
    Object.assign(this, { view: { ...view }, usual: view, samples, selection });
    this.box = byId(`plot-${view.key}`);
    [this.canvas, this.overlay] = [1, 2].map(() => make("canvas", undefined, { "aria-hidden": "true" }));
    this.note = make("p", "", { class: "note" });
    this.box.append(this.canvas, this.overlay);
    this.box.after(this.note);
    this.px = new Float32Array(samples.n);
    this.py = new Float32Array(samples.n);
    this.showAll();
    new ResizeObserver(() => this.measure()).observe(this.box);
  }

  // Columns at the axes, and all samples in view.
  setColumns(changes) {
    Object.assign(this.view, changes);
    this.showAll();
  }

  showAll() {
    const [left, right] = paddedRange(this.samples.shownValues(this.view.x));
    const [bottom, top] = paddedRange(this.samples.shownValues(this.view.y));
    this.range = { left, right, bottom, top };
    this.whole = this.range;
  }

  // Draws what is known of the samples of the parts that are shown; only says so where that is nothing.
  setParts() {
    const { usual, samples, box } = this;
    const figure = box.closest("figure");
    const other = this.selection.isUsualSplit ? usual : usual.elsewhere;
    if (usual.elsewhere) {
      Object.assign(this.view, other);
      figure.querySelector("h3").textContent = other.title;
      figure.querySelector("figcaption p").textContent = other.text;
      box.setAttribute("aria-label", box.getAttribute("aria-label").replace(/^.*? across,/s, `${other.title}: ${other.xLabel} across,`));
    }
    this.showAll();
    figure.classList.toggle("placeless", !this.selection.isUsualSplit && this.placeless() === samples.nShown);
    this.note.textContent = this.placelessNote();
  }

  // How many of the samples that are shown have no place here.
  placeless() {
    const { samples } = this;
    const [x, y] = [samples.values(this.view.x), samples.values(this.view.y)];
    let count = 0;
    for (let i = 0; i < samples.n; i++) count += samples.inShown[i] && !(Number.isFinite(x[i]) && Number.isFinite(y[i]));
    return count;
  }

  get isZoomed() {
    return this.range !== this.whole;
  }

  // Zooms by a factor around a point of the plot, given in pixels.
  zoom(factor, x = (this.inner.left + this.inner.right) / 2, y = (this.inner.top + this.inner.bottom) / 2) {
    const [atX, atY] = [this.fromX(x), this.fromY(y)];
    const ends = (low, high, at) => [at + (low - at) / factor, at + (high - at) / factor];
    const [left, right] = ends(this.range.left, this.range.right, atX);
    const [bottom, top] = ends(this.range.bottom, this.range.top, atY);
    const isWhole = right - left >= this.whole.right - this.whole.left;
    this.range = isWhole ? this.whole : { left, right, bottom, top };
    this.draw();
  }

  move(dx, dy) {
    const { left, right, bottom, top } = this.range;
    const across = ((right - left) * dx) / (this.inner.right - this.inner.left);
    const up = ((top - bottom) * dy) / (this.inner.bottom - this.inner.top);
    this.range = { left: left - across, right: right - across, bottom: bottom + up, top: top + up };
    this.draw();
  }

  resize() {
    this.scale = window.devicePixelRatio || 1;
    this.inner = { left: MARGIN.left, top: MARGIN.top, right: this.width - MARGIN.right, bottom: HEIGHT - MARGIN.bottom };
    for (const canvas of [this.canvas, this.overlay]) {
      const [width, height] = [this.width, HEIGHT].map((side) => Math.round(side * this.scale));
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      canvas.style.height = `${HEIGHT}px`;
      const context = canvas.getContext("2d");
      context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
      context.clearRect(0, 0, this.width, HEIGHT);
    }
  }

  toX(value) {
    return this.inner.left + ((value - this.range.left) / (this.range.right - this.range.left)) * (this.inner.right - this.inner.left);
  }

  toY(value) {
    return this.inner.bottom - ((value - this.range.bottom) / (this.range.top - this.range.bottom)) * (this.inner.bottom - this.inner.top);
  }

  fromX(x) {
    return this.range.left + ((x - this.inner.left) / (this.inner.right - this.inner.left)) * (this.range.right - this.range.left);
  }

  fromY(y) {
    return this.range.bottom + ((this.inner.bottom - y) / (this.inner.bottom - this.inner.top)) * (this.range.top - this.range.bottom);
  }

  // The width and the colors of the page: asking for them makes a browser lay the whole page out.
  measure() {
    this.width = this.box.clientWidth;
    this.ink = inkOf(this.box);
    this.draw();
  }

  draw() {
    if (!this.looks || !this.width) return;
    this.resize();
    this.visible = this.project();
    const { ink } = this;
    const context = this.canvas.getContext("2d");
    drawAxes(context, this, ink);
    context.save();
    context.beginPath();
    context.rect(this.inner.left, this.inner.top, this.inner.right - this.inner.left, this.inner.bottom - this.inner.top);
    context.clip();
    this.drawSamples(context, ink);
    context.restore();
    this.ring(this.current);
  }

  // Computes where the samples are, and returns those in view.
  project() {
    const [x, y] = [this.samples.values(this.view.x), this.samples.values(this.view.y)];
    const { left, right, top, bottom } = this.inner;
    const visible = new Uint32Array(this.samples.n);
    let count = 0;
    const { inShown } = this.samples;
    for (let i = 0; i < visible.length; i++) {
      if (!inShown[i]) continue;
      this.px[i] = this.toX(x[i]);
      this.py[i] = this.toY(y[i]);
      if (this.px[i] >= left && this.px[i] < right && this.py[i] >= top && this.py[i] < bottom) visible[count++] = i;
    }
    return visible.subarray(0, count);
  }

  drawSamples(context, ink) {
    const { mask, isActive } = this.selection;
    const chosen = isActive ? this.visible.filter((i) => mask[i]) : this.visible;
    const isDense = this.visible.length > MOST_MARKERS;
    if (isActive && isDense) drawDensity(context, this, this.visible, this.looks, rgbOf(ink.faded));
    else if (isActive) drawMarkers(context, this, this.visible.filter((i) => !mask[i]), this.looks, this.radii, "faded");
    if (chosen.length <= MOST_MARKERS) {
      drawMarkers(context, this, chosen, this.looks, this.radii, isActive ? "strong" : "usual");
    } else this.drawDense(context, chosen);
    const dense = isDense ? densityNote(this.looks, this.visible.length, chosen.length) : "";
    this.note.textContent = [dense, this.placelessNote()].filter(Boolean).join(" ");
  }

  // Says how many of the shown samples of other parts than the test part have no place here.
  placelessNote() {
    const { samples } = this;
    if (samples.shownSplits.join() === "test") return "";
    const missing = this.placeless();
    if (!missing || this.view.title === this.usual.elsewhere?.title) return "";
    const which = missing === samples.nShown ? "None of the samples that are shown has a" : `${missing} of ${samples.nShown} samples have no`;
    return `${which} place here, as it is computed of test samples alone.`;
  }

  drawDense(context, indices) {
    drawDensity(context, this, indices, this.looks, null);
    if (this.looks.color !== this.samples.wrong || !this.samples.classification) return;
    const rare = indices.filter((i) => this.samples.wrong[i]);
    if (rare.length <= MOST_RARE) drawMarkers(context, this, rare, this.looks, this.radii, "usual");
  }

  // The sample nearest to a point, at most some pixels away; undefined without any.
  nearest(x, y, most = 12) {
    let [found, best] = [undefined, most * most];
    for (const i of this.visible) {
      const away = (this.px[i] - x) ** 2 + (this.py[i] - y) ** 2;
      if (away < best) [found, best] = [i, away];
    }
    return found;
  }

  ring(i) {
    this.current = i;
    const context = this.overlay.getContext("2d");
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    if (i === undefined || !Number.isFinite(this.px[i]) || !Number.isFinite(this.py[i])) return;
    context.strokeStyle = this.ink.text;
    context.lineWidth = 2.5;
    context.beginPath();
    context.arc(this.px[i], this.py[i], 9, 0, 7);
    context.stroke();
  }
}

function paddedRange(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low && value > -Infinity) low = value;
    if (value > high && value < Infinity) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  const pad = high > low ? (high - low) * 0.05 : Math.abs(low) * 0.05 || 0.5;
  return [low - pad, high + pad];
}

function inkOf(element) {
  const style = getComputedStyle(element);
  const [text, line, faded] = ["--ink", "--line", "--soft"].map((name) => style.getPropertyValue(name).trim());
  return { text, line, faded };
}

function densityNote(looks, visible, chosen) {
  const what = looks.blend ? "the mean color" : "the most frequent color";
  const shown = chosen === visible ? "" : ` Gray: all ${visible} in view.`;
  return `Too many to draw one by one: a cell has ${what} of its samples, stronger where they are more.${shown} Zoom in for single samples.`;
}
