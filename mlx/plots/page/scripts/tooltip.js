// The sample under the pointer or the keyboard focus: its numbers beside it, and a ring around its points.
class Tooltip {
  constructor(samples, cursor) {
    this.samples = samples;
    this.cursor = cursor;
    this.box = byId("tip");
    this.pointer = { x: 0, y: 0 };
    document.addEventListener("pointermove", (event) => { this.pointer = { x: event.clientX, y: event.clientY }; });
  }

  show(i, at = this.pointer) {
    const facts = make("dl");
    for (const [name, label] of this.samples.data.columns) {
      facts.append(make("dt", label), make("dd", this.samples.text(name, i)));
    }
    const image = this.samples.thumbnail(i, 112);
    this.box.replaceChildren(...(image ? [image, facts] : [facts]));
    this.box.hidden = false;
    this.place(at);
    this.moveRing((name) => [this.samples.column(name)[i]]);
  }

  hide() {
    if (this.box.hidden) return;
    this.box.hidden = true;
    this.moveRing(() => []);
  }

  place({ x, y }) {
    const { width, height } = this.box.getBoundingClientRect();
    const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
    this.box.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
    this.box.style.top = `${Math.max(4, Math.min(y + 16, innerHeight - height - 4))}px`;
  }

  moveRing(valuesOf) {
    this.cursor.data = Object.fromEntries(Object.keys(this.cursor.data).map((name) => [name, valuesOf(name)]));
  }
}
