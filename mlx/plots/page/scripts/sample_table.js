// The table of samples, a page at a time: the selected ones where there are any.
const PAGE_ROWS = 12;

class SampleTable {
  constructor(samples, selection, tooltip, open) {
    Object.assign(this, { samples, selection, tooltip, open });
    this.table = byId("rows");
    this.pages = new Pages(byId("view-table"), PAGE_ROWS, (shown) => this.show(shown));
    this.pages.previous.id = "previous";
    this.pages.next.id = "next";
    this.pages.text.id = "page-number";
  }

  refresh() {
    this.keys = this.shownKeys();
    this.addHead();
    this.pages.list(this.selection.listed);
  }

  // Those of a prediction, and what colors, sizes and filters use.
  shownKeys() {
    const { color, size, sort } = this.selection.settings;
    const filtered = this.selection.pairs.filter(([key]) => key.startsWith("f.")).map(([key]) => key.slice(2));
    const used = [color, size, sort.replace(/^-/, ""), ...filtered].filter((key) => this.samples.columns.has(key));
    return [...new Set([...this.samples.shownKeys, ...used])];
  }

  addHead() {
    const row = make("tr");
    if (this.samples.areShown) row.append(make("td", undefined, { class: "image" }));
    const { sort } = this.selection.settings;
    for (const key of this.keys) {
      const { label, about } = this.samples.columns.get(key);
      const button = make("button", label, { type: "button" });
      if (about) button.title = about;
      button.addEventListener("click", () => this.sortBy(key));
      const heading = make("th", undefined, { scope: "col", "data-column": key });
      if (sort === key || sort === `-${key}`) heading.setAttribute("aria-sort", sort === key ? "ascending" : "descending");
      if (this.samples.isNumeric(key)) heading.className = "n";
      heading.append(button);
      row.append(heading);
    }
    this.table.tHead.replaceChildren(row);
  }

  sortBy(key) {
    const { sort } = this.selection.settings;
    const descending = sort === key || (sort !== `-${key}` && key !== "index");
    this.selection.set("sort", descending ? `-${key}` : key);
    [...this.table.tHead.rows[0].cells].find((cell) => cell.dataset.column === key)?.querySelector("button").focus();
  }

  show(shown) {
    this.table.tBodies[0].replaceChildren(...Array.from(shown, (i) => this.row(i)));
  }

  row(i) {
    const row = make("tr", undefined, { "data-sample": this.samples.text("index", i) });
    if (this.samples.areShown) {
      const cell = make("td", undefined, { class: "image" });
      cell.append(this.samples.thumbnail(i, 36) || "");
      row.append(cell);
    }
    for (const key of this.keys) row.append(key === "index" ? this.rowHeading(i) : this.cell(key, i));
    row.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") this.tooltip.show(i); });
    row.addEventListener("pointerleave", () => this.tooltip.hide());
    return row;
  }

  rowHeading(i) {
    const button = make("button", this.samples.text("index", i), { type: "button", "aria-label": `open ${this.samples.nameOf(i)}` });
    button.addEventListener("click", () => this.open(i));
    const heading = make("th", undefined, { scope: "row" });
    heading.append(button);
    return heading;
  }

  cell(key, i) {
    const cell = make("td", this.samples.text(key, i));
    if (cell.textContent.length > 24) cell.title = cell.textContent;
    if (key === "correct" && this.samples.wrong[i]) cell.className = "wrong";
    else if (this.samples.isNumeric(key)) cell.className = "n";
    return cell;
  }
}
