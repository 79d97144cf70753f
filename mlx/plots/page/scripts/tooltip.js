// The sample under the pointer or the keyboard focus: its numbers beside it, and a ring around its points.
class Tooltip {
  constructor(samples, plots) {
    Object.assign(this, { samples, plots });
    this.box = byId("tip");
    this.pointer = { x: 0, y: 0 };
    document.addEventListener("pointermove", (event) => { this.pointer = { x: event.clientX, y: event.clientY }; });
  }

  show(i, at = this.pointer) {
    if (this.shown !== i) this.fill(i);
    this.shown = i;
    this.box.hidden = false;
    this.place(at);
  }

  fill(i) {
    const facts = make("dl");
    for (const key of this.samples.keysOf(i)) facts.append(make("dt", this.samples.label(key)), make("dd", this.samples.text(key, i)));
    const image = this.samples.thumbnail(i, 112);
    this.box.replaceChildren(...(image ? [image, facts] : [facts]));
    for (const plot of this.plots) plot.ring(i);
  }

  hide() {
    if (this.box.hidden) return;
    this.box.hidden = true;
    this.shown = undefined;
    for (const plot of this.plots) plot.ring(undefined);
  }

  place({ x, y }) {
    const { width, height } = this.box.getBoundingClientRect();
    const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
    this.box.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
    this.box.style.top = `${Math.max(4, Math.min(y + 16, innerHeight - height - 4))}px`;
  }
}
