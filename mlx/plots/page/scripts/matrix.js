// The confusion matrix, whose cells select their samples; of few classes it is beside the answer, as links.
class ConfusionMatrix {
  constructor(samples, selection) {
    this.samples = samples;
    this.selection = selection;
    this.buttons = new Map(); // by "actual,predicted"; empty cells have none
    for (const link of document.querySelectorAll(".confusions a")) this.buttons.set(link.dataset.cell, link);
    const table = byId("matrix");
    if (!table) return;
    table.append(this.head(), this.body());
    table.classList.toggle("many", samples.data.classes.length > 12);
    table.addEventListener("keydown", (event) => this.walk(event));
    table.querySelector("button")?.setAttribute("tabindex", "0");
  }

  head() {
    const row = make("tr");
    row.append(make("th", "true \\ predicted", { scope: "col" }));
    for (const name of this.samples.data.classes) {
      const heading = make("th", undefined, { scope: "col" });
      heading.append(make("span", name));
      row.append(heading);
    }
    const head = make("thead");
    head.append(row);
    return head;
  }

  body() {
    const { classes, confusion } = this.samples.data;
    const totals = classes.map(() => 0);
    for (const [actual, , n] of confusion) totals[actual] += n;
    const counts = new Map(confusion.map(([actual, predicted, n]) => [`${actual},${predicted}`, n]));
    const body = make("tbody");
    classes.forEach((name, actual) => {
      const row = make("tr");
      row.append(make("th", name, { scope: "row" }));
      classes.forEach((_, predicted) => {
        const cell = make("td");
        const n = counts.get(`${actual},${predicted}`);
        if (n) cell.append(this.button(actual, predicted, n, n / totals[actual]));
        row.append(cell);
      });
      body.append(row);
    });
    return body;
  }

  button(actual, predicted, n, share) {
    const [a, p] = [actual, predicted].map((k) => this.samples.data.classes[k]);
    const label = actual === predicted ? `${a}, predicted correctly: ${n}` : `${a}, predicted as ${p}: ${n}`;
    const attributes = { type: "button", tabindex: "-1", "aria-label": label, "aria-pressed": "false", title: label };
    const button = make("button", String(n), attributes);
    button.style.setProperty("--share", `${Math.round(100 * share)}%`);
    if (share > 0.4) button.className = share > 0.8 ? "much" : "some";
    button.dataset.cell = `${actual},${predicted}`;
    button.addEventListener("click", () => this.select(button.dataset.cell, label, n));
    this.buttons.set(button.dataset.cell, button);
    return button;
  }

  // A second click takes the cell away again.
  select(cell, label, n) {
    const [actual, predicted] = cell.split(",");
    const pressed = this.buttons.get(cell).getAttribute("aria-pressed") === "true";
    const own = this.countOf(actual, predicted);
    const missing = own < n ? ` (the page has ${own} of ${n})` : "";
    const values = pressed ? ["", ""] : [`=${actual}`, `=${predicted}`];
    const { split } = this.selection.defaults; // whose counts these are
    this.selection.filter([["f.y_true", values[0]], ["f.y_pred", values[1]]], pressed ? "" : `${label}${missing}. `, split);
  }

  countOf(actual, predicted) {
    const [y, p] = [this.samples.values("y_true"), this.samples.values("y_pred")];
    const isOwn = (i) => this.samples.splitOf(i) === "test" && p[i] === Number(predicted);
    return y.reduce((count, value, i) => count + (value === Number(actual) && isOwn(i)), 0);
  }

  // Marks the cells of the selected samples.
  mark() {
    if (!this.buttons.size) return;
    const { mask, isActive } = this.selection;
    const k = this.samples.data.classes.length;
    const marked = new Uint8Array(k * k);
    const [y, p] = [this.samples.values("y_true"), this.samples.values("y_pred")];
    const hasSplits = this.samples.splits.length > 1;
    const part = hasSplits ? this.samples.values("split") : null; // the test part is the first
    if (isActive) for (let i = 0; i < mask.length; i++) if (mask[i] && !part?.[i]) marked[y[i] * k + p[i]] = 1;
    for (const [cell, button] of this.buttons) {
      const [actual, predicted] = cell.split(",").map(Number);
      const [name, pressed] = [button.href ? "aria-current" : "aria-pressed", String(marked[actual * k + predicted] === 1)];
      if (button.getAttribute(name) !== pressed) button.setAttribute(name, pressed);
    }
  }

  // Arrow keys move to the next filled cell; Tab enters and leaves the matrix as one control.
  walk(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!event.target.dataset.cell || !step) return;
    event.preventDefault();
    const n = this.samples.data.classes.length;
    const isInside = (k) => k >= 0 && k < n;
    let [row, column] = event.target.dataset.cell.split(",").map(Number);
    do {
      row += step[0];
      column += step[1];
    } while (isInside(row) && isInside(column) && !this.buttons.has(`${row},${column}`));
    const next = this.buttons.get(`${row},${column}`);
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
