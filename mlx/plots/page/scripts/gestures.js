// What pointer and keyboard do in a plot: drag selects or moves, a click picks, the wheel with Ctrl zooms.
class Gestures {
  constructor(plot, selection, tooltip, open) {
    Object.assign(this, { plot, selection, tooltip, open, mode: "box", place: -1 });
    const { overlay, box } = plot;
    overlay.addEventListener("pointerdown", (event) => this.start(event));
    overlay.addEventListener("pointermove", (event) => this.move(event));
    overlay.addEventListener("pointerup", (event) => this.end(event));
    overlay.addEventListener("pointercancel", () => this.cancel());
    overlay.addEventListener("pointerleave", () => this.tooltip.hide());
    overlay.addEventListener("dblclick", () => this.showAll());
    overlay.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("blur", () => this.tooltip.hide());
    box.before(this.toolbar());
  }

  toolbar() {
    const bar = make("div", undefined, { class: "tools", role: "group", "aria-label": `Tools of ${this.plot.view.title}` });
    const modes = [["box", "Box"], ["lasso", "Lasso"], ["pan", "Move"]].map(([mode, text]) => {
      const button = make("button", text, { type: "button", "aria-pressed": String(mode === this.mode), title: `Dragging: ${text.toLowerCase()}` });
      button.addEventListener("click", () => {
        this.mode = mode;
        for (const other of modes) other.setAttribute("aria-pressed", String(other === button));
      });
      return button;
    });
    const zooms = [["+", "Zoom in", () => this.plot.zoom(1.6)], ["−", "Zoom out", () => this.plot.zoom(1 / 1.6)], ["All", "Show all samples", () => this.showAll()]];
    bar.append(...modes, ...zooms.map(([text, label, act]) => {
      const button = make("button", text, { type: "button", "aria-label": label, title: label });
      button.addEventListener("click", act);
      return button;
    }));
    return bar;
  }

  showAll() {
    this.plot.range = this.plot.whole;
    this.plot.draw();
  }

  at(event) {
    const { left, top } = this.plot.overlay.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  start(event) {
    if (event.button !== 0) return;
    this.path = [this.at(event)];
    if (event.pointerType === "mouse") this.plot.overlay.setPointerCapture(event.pointerId);
    this.tooltip.hide();
  }

  move(event) {
    const point = this.at(event);
    if (!this.path) {
      const i = this.plot.nearest(...point);
      if (i === undefined) this.tooltip.hide();
      else this.tooltip.show(i, { x: event.clientX, y: event.clientY });
      return;
    }
    const last = this.path[this.path.length - 1];
    if (this.mode === "pan") this.plot.move(point[0] - last[0], point[1] - last[1]);
    this.path.push(point);
    if (this.mode !== "pan") this.outline();
  }

  get isClick() {
    const [x, y] = this.path[0];
    return this.path.every(([a, b]) => Math.hypot(a - x, b - y) < 4);
  }

  outline() {
    const context = this.plot.overlay.getContext("2d");
    context.clearRect(0, 0, this.plot.overlay.width, this.plot.overlay.height);
    context.strokeStyle = inkOf(this.plot.box).text;
    context.setLineDash([5, 4]);
    context.lineWidth = 1.5;
    context.beginPath();
    for (const [x, y] of this.corners()) context.lineTo(x, y);
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  }

  corners() {
    if (this.mode === "lasso") return this.path;
    const [[x1, y1], [x2, y2]] = [this.path[0], this.path[this.path.length - 1]];
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];
  }

  end() {
    if (!this.path) return;
    const path = this.path;
    if (this.isClick) {
      const i = this.plot.nearest(...path[0]);
      if (i !== undefined) this.selection.toggle(i);
    } else if (this.mode !== "pan") this.select();
    this.cancel();
  }

  cancel() {
    this.path = null;
    this.plot.ring(undefined);
  }

  // Of a lasso at most 60 corners are kept: they stand in the address.
  select() {
    const { plot } = this;
    const every = Math.ceil(this.path.length / 60);
    let points = this.path.filter((_, k) => k % every === 0);
    if (this.mode === "box") {
      const [[x1, y1], [x2, y2]] = [this.path[0], this.path[this.path.length - 1]];
      points = [[Math.min(x1, x2), Math.max(y1, y2)], [Math.max(x1, x2), Math.min(y1, y2)]];
    }
    const numbers = points.flatMap(([x, y]) => [plot.fromX(x), plot.fromY(y)]).map((value) => Number(value.toPrecision(6)));
    if (points.length < 2 || (this.mode === "lasso" && points.length < 3)) return;
    const others = this.selection.pairs.filter(([key]) => key.startsWith(`area.${plot.view.key}.`)).map(([key]) => [key, ""]);
    this.selection.filter([...others, [`area.${plot.view.key}.${plot.view.x}.${plot.view.y}`, numbers.join()]]);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    this.plot.zoom(event.deltaY < 0 ? 1.25 : 0.8, ...this.at(event));
  }

  // Arrow keys walk from sample to sample along the horizontal axis.
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const zooms = { "+": () => this.plot.zoom(1.6), "-": () => this.plot.zoom(1 / 1.6), 0: () => this.showAll() };
    if (zooms[event.key]) {
      event.preventDefault();
      zooms[event.key]();
      return;
    }
    const order = Array.from(this.plot.visible).sort((a, b) => this.plot.px[a] - this.plot.px[b] || a - b);
    const next = nextPlace(event.key, this.place, order.length - 1);
    if (next === null) return;
    event.preventDefault();
    this.place = next;
    const i = order[next];
    if (event.key === "Enter") this.selection.toggle(i);
    else if (event.key === " ") this.open(i);
    else this.showAt(i);
  }

  showAt(i) {
    const { left, top } = this.plot.box.getBoundingClientRect();
    this.tooltip.show(i, { x: left + 40, y: top + 30 });
    byId("selection").textContent = this.selection.samples.sentence(i);
  }
}

function nextPlace(key, place, last) {
  const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageDown: 20, PageUp: -20 }[key];
  if (last < 0) return null;
  if (step) return Math.max(0, Math.min(last, place + step));
  if (key === "Home") return 0;
  if (key === "End") return last;
  return (key === "Enter" || key === " ") && place >= 0 ? Math.min(place, last) : null;
}
