// One sample in a dialog: its image to zoom, the most probable classes, the nearest samples, and all its columns.
const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const GROUPS = {
  prediction: "Prediction", factor: "Factors", feature: "Columns of the data", score: "Scores of failure",
  layer: "Representation", place: "Place in the map", more: "More numbers",
};

class Viewer {
  constructor(samples, selection) {
    Object.assign(this, { samples, selection, zoom: 0 });
    this.dialog = byId("viewer");
    this.dialog.addEventListener("close", () => selection.set("at", ""));
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  open(i) {
    this.selection.set("at", this.samples.text("index", i));
  }

  // Shows the sample that the address names, or none.
  refresh() {
    const { at } = this.selection.settings;
    const i = at === "" ? undefined : this.samples.places.get(Number(at));
    if (i === undefined) {
      if (this.dialog.open) this.dialog.close();
      return;
    }
    this.fill(i);
    if (!this.dialog.open) this.dialog.showModal();
  }

  fill(i) {
    this.i = i;
    const focused = document.activeElement?.dataset?.act;
    const body = make("div", undefined, { class: "viewer-body" });
    body.append(this.picture(), this.about());
    this.dialog.replaceChildren(this.head(), body);
    this.dialog.scrollTop = 0;
    (this.dialog.querySelector(`[data-act="${focused}"]:not(:disabled)`) || this.dialog.querySelector("[data-act=close]")).focus();
  }

  head() {
    const { listed } = this.selection;
    const place = listed.indexOf(this.i);
    const where = place < 0 ? "" : `, ${place + 1} of ${listed.length}`;
    const head = make("div", undefined, { class: "viewer-head" });
    head.append(
      make("h3", `${capitalized(this.samples.nameOf(this.i))}${where}`, { id: "viewer-title" }),
      this.button("Previous", "previous", () => this.step(-1), place <= 0),
      this.button("Next", "next", () => this.step(1), place < 0 || place === listed.length - 1),
      this.button("Only this", "only", () => this.selectOnly()),
      this.button("Close", "close", () => this.dialog.close()),
    );
    return head;
  }

  button(text, act, react, disabled = false) {
    const button = make("button", text, { type: "button", "data-act": act });
    button.disabled = disabled;
    button.addEventListener("click", react);
    return button;
  }

  step(by) {
    const { listed } = this.selection;
    const next = listed[listed.indexOf(this.i) + by];
    if (next !== undefined) this.open(next);
  }

  selectOnly() {
    const number = this.samples.text("index", this.i);
    this.selection.settings.at = "";
    this.dialog.close();
    this.selection.replace([["samples", number]], "", this.samples.splitOf(this.i));
  }

  picture() {
    const box = make("div", undefined, { class: "viewer-picture" });
    const image = this.image();
    if (image && !this.samples.data.atlas) box.append(image);
    else if (image) {
      const scroll = make("div", undefined, { class: "scroll-box", tabindex: "0", role: "region", "aria-label": "Image of the sample" });
      scroll.append(image);
      const zooms = make("div", undefined, { class: "controls" });
      zooms.append(
        this.button("−", "smaller", () => this.magnify(-1), this.zoom === 0),
        make("span", `${Math.round(100 * ZOOMS[this.zoom])} %`),
        this.button("+", "larger", () => this.magnify(1), this.zoom === ZOOMS.length - 1),
      );
      zooms.firstChild.setAttribute("aria-label", "smaller image");
      zooms.lastChild.setAttribute("aria-label", "larger image");
      box.append(scroll, zooms);
    } else if (this.samples.areShown) box.append(make("p", "This page has no image or text of this sample.", { class: "soft" }));
    box.append(...this.probabilities(), ...this.repeated(), ...this.neighbors());
    return box;
  }

  image() {
    const { atlas } = this.samples.data;
    if (!atlas) return this.samples.thumbnail(this.i);
    const side = Math.min(320, innerWidth - 90) * ZOOMS[this.zoom];
    return this.samples.thumbnail(this.i, side, side);
  }

  magnify(by) {
    this.zoom = Math.max(0, Math.min(ZOOMS.length - 1, this.zoom + by));
    this.fill(this.i);
  }

  probabilities() {
    const known = this.samples.probable(this.i);
    if (!known.length) return [];
    const list = make("ul", undefined, { class: "probable" });
    for (const [label, share] of known) {
      const item = make("li");
      const bar = make("span", undefined, { class: "share", "aria-hidden": "true" });
      bar.style.width = `${100 * share}%`;
      const marks = label === this.samples.values("y_true")[this.i] ? " (true)" : "";
      item.append(make("span", this.samples.data.classes[label] + marks), make("span", share.toFixed(share < 0.001 ? 4 : 3)), bar);
      list.append(item);
    }
    return [make("h4", "Most probable classes"), list];
  }

  // Samples that are the same or nearly so, in this part of the data or in another.
  repeated() {
    const numbers = this.samples.repeated(this.i);
    if (!numbers.length) return [];
    const known = numbers.map((number) => this.samples.places.get(number)).filter((i) => i !== undefined);
    const absent = numbers.filter((number) => !this.samples.places.has(number));
    const list = this.listOf(known, true);
    list.classList.add("repeated");
    const others = absent.length ? [make("p", `Not on this page: sample ${absent.join(", ")}.`, { class: "soft" })] : [];
    return [make("h4", "The same sample, or nearly"), list, ...others];
  }

  neighbors() {
    const nearest = this.samples.neighbors(this.i);
    return nearest.length ? [make("h4", "Most similar test samples in the representation"), this.listOf(nearest)] : [];
  }

  // Samples to open; those without an image, or all, with what they are called.
  listOf(places, isNamed = false) {
    const list = make("ul", undefined, { class: "near" });
    for (const i of places) {
      const button = make("button", undefined, { type: "button" });
      const image = this.samples.thumbnail(i, 56);
      button.append(...[image, isNamed || !image ? make("span", this.samples.nameOf(i)) : null, caption(this.samples, i)].filter(Boolean));
      button.addEventListener("click", () => this.open(i));
      const item = make("li");
      item.append(button);
      list.append(item);
    }
    return list;
  }

  about() {
    const box = make("div", undefined, { class: "viewer-facts" });
    for (const [group, title] of Object.entries(GROUPS)) {
      const keys = this.samples.keys.filter((key) => this.samples.columns.get(key).group === group);
      if (!keys.length) continue;
      const facts = make("dl");
      const issues = group === "prediction" ? this.samples.issuesOf(this.i) : [];
      if (issues.length) facts.append(make("dt", "issues"), make("dd", issues.join(", ")));
      for (const key of keys) {
        const term = make("dt", this.samples.label(key));
        if (this.samples.columns.get(key).about) term.title = this.samples.columns.get(key).about;
        facts.append(term, make("dd", this.samples.text(key, this.i)));
      }
      const part = make("details");
      part.open = ["prediction", "factor", "feature"].includes(group);
      part.append(make("summary", title), facts);
      box.append(part);
    }
    return box;
  }

  key(event) {
    const acts = { ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), "+": () => this.magnify(1), "-": () => this.magnify(-1) };
    if (!acts[event.key] || event.target.closest(".scroll-box") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    acts[event.key]();
  }
}

const capitalized = (text) => text[0].toUpperCase() + text.slice(1);
