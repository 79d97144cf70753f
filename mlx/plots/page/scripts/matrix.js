// The confusion matrix, whose cells select their samples.
class ConfusionMatrix {
  constructor(samples, selection) {
    this.samples = samples;
    this.selection = selection;
    this.buttons = new Map(); // by "actual,predicted"; empty cells have none
    const table = byId("matrix");
    if (!table) return;
    table.append(this.head(), this.body());
    table.classList.toggle("many", samples.data.classes.length > 12);
    table.addEventListener("keydown", (event) => this.walk(event));
    table.querySelector("button")?.setAttribute("tabindex", "0");
  }

  head() {
    const row = make("tr");
    row.append(make("th", "actual \\ predicted", { scope: "col" }));
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
    const mixed = [0, 90, 143].map((end) => Math.round(255 + (end - 255) * share));
    button.style.background = `rgb(${mixed.join(",")})`;
    button.style.color = share > 0.8 ? "#fff" : "#000";
    button.dataset.cell = `${actual},${predicted}`;
    button.addEventListener("click", () => this.select(button.dataset.cell, label, n));
    this.buttons.set(button.dataset.cell, button);
    return button;
  }

  cellOf(i) {
    return `${this.samples.column("y_true")[i]},${this.samples.column("y_pred")[i]}`;
  }

  select(cell, label, n) {
    const own = this.samples.all.filter((i) => this.cellOf(i) === cell);
    const missing = own.length < n ? ` (the page has ${own.length} of ${n})` : "";
    this.selection.set(own, `${label}${missing}. `);
    if (!own.length) byId("selection").textContent = `${label}${missing}. None of them is on this page.`;
  }

  mark(chosen) {
    if (!this.buttons.size) return;
    const marked = new Set(chosen.map((i) => this.cellOf(i)));
    for (const [cell, button] of this.buttons) button.setAttribute("aria-pressed", String(marked.has(cell)));
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
