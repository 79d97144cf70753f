// The table of samples, a page at a time: the selected ones where there are any.
const PAGE_ROWS = 12;
const ranksBySize = (name) => name === "residual" || name === "standardised"; // whatever their sign

class SampleTable {
  constructor(samples, selection, tooltip) {
    Object.assign(this, { samples, selection, tooltip });
    this.table = byId("rows");
    this.page = 0;
    this.sortedBy = samples.classification ? "entropy" : "residual";
    this.descending = true;
    this.addHead();
    this.addFilter();
    byId("previous").addEventListener("click", () => this.showPage(this.page - 1));
    byId("next").addEventListener("click", () => this.showPage(this.page + 1));
  }

  addHead() {
    const row = make("tr");
    if (this.samples.data.atlas) row.append(make("td", undefined, { class: "image" }));
    for (const [name, label, about] of this.samples.data.columns) {
      const button = make("button", label, { type: "button" });
      if (about) button.title = about;
      button.addEventListener("click", () => this.sortBy(name));
      const heading = make("th", undefined, { scope: "col", "data-column": name });
      if (this.samples.isNumeric(name)) heading.className = "n";
      heading.append(button);
      row.append(heading);
    }
    this.table.tHead.append(row);
  }

  addFilter() {
    const options = this.samples.classification
      ? [["all", "all"], ["wrong", "wrong predictions"], ["right", "correct predictions"]]
      : [["all", "all"], ["right", "predicted too low"], ["wrong", "predicted too high"]];
    byId("filter").append(...options.map(([value, text]) => make("option", text, { value })));
    byId("filter").addEventListener("change", () => this.showPage(0));
  }

  sortBy(name) {
    this.descending = this.sortedBy === name ? !this.descending : name !== "index";
    this.sortedBy = name;
    this.showPage(0);
  }

  showPage(page) {
    this.page = page;
    for (const heading of this.table.tHead.querySelectorAll("th")) {
      heading.removeAttribute("aria-sort");
      if (heading.dataset.column !== this.sortedBy) continue;
      heading.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
    }
    const chosen = this.selection.indices;
    const listed = this.sorted(this.filtered(chosen.length ? chosen : this.samples.all));
    const pages = Math.max(1, Math.ceil(listed.length / PAGE_ROWS));
    const shown = listed.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS);
    this.table.tBodies[0].replaceChildren(...shown.map((i) => this.row(i, chosen.includes(i))));
    byId("page-number").textContent = `page ${page + 1} of ${pages}, ${listed.length} samples`;
    byId("previous").disabled = page === 0;
    byId("next").disabled = page >= pages - 1;
  }

  filtered(indices) {
    const filter = byId("filter").value;
    return filter === "all" ? indices : indices.filter((i) => this.samples.wrong[i] === (filter === "wrong"));
  }

  sorted(indices) {
    const { samples, sortedBy, descending } = this;
    const values = samples.column(sortedBy);
    const sign = descending ? -1 : 1;
    if (samples.isClass(sortedBy)) {
      const nameOf = (i) => samples.data.classes[values[i]];
      const compare = (a, b) => nameOf(a).localeCompare(nameOf(b), "en", { numeric: true });
      return [...indices].sort((a, b) => sign * compare(a, b) || a - b);
    }
    const key = (i) => (ranksBySize(sortedBy) ? Math.abs(values[i]) : values[i]);
    const unknownLast = (x, y) => Number.isNaN(x) - Number.isNaN(y);
    return [...indices].sort((a, b) => unknownLast(key(a), key(b)) || sign * (key(a) - key(b)) || a - b);
  }

  row(i, chosen) {
    const row = make("tr", undefined, { "data-sample": this.samples.text("index", i) });
    if (this.samples.data.atlas) {
      const cell = make("td", undefined, { class: "image" });
      cell.append(this.samples.thumbnail(i, 36) || "");
      row.append(cell);
    }
    for (const [name] of this.samples.data.columns) {
      row.append(name === "index" ? this.rowHeading(i, chosen) : this.cell(name, i));
    }
    row.addEventListener("pointerenter", () => this.tooltip.show(i));
    row.addEventListener("pointerleave", () => this.tooltip.hide());
    return row;
  }

  rowHeading(i, chosen) {
    const name = this.samples.text("index", i);
    const attributes = { type: "button", "aria-pressed": String(chosen), "aria-label": `select sample ${name}` };
    const button = make("button", name, attributes);
    button.addEventListener("click", () => {
      this.selection.toggle(i); // rebuilds the rows
      this.table.querySelector(`[data-sample="${name}"] button`)?.focus();
    });
    button.addEventListener("focus", () => {
      const { right, top } = button.getBoundingClientRect();
      this.tooltip.show(i, { x: right + 60, y: top });
    });
    button.addEventListener("blur", () => this.tooltip.hide());
    const heading = make("th", undefined, { scope: "row" });
    heading.append(button);
    return heading;
  }

  cell(name, i) {
    const cell = make("td", this.samples.text(name, i));
    if (cell.textContent.length > 24) cell.title = cell.textContent;
    if (name === "correct" && this.samples.wrong[i]) cell.className = "wrong";
    else if (this.samples.isNumeric(name)) cell.className = "n";
    return cell;
  }
}
