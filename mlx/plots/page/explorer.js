// Links the plots, the confusion matrix and the table of samples: one selection, shown in all.
// Texts from data go through textContent only, so that no class name becomes markup.
"use strict";
(async () => {
  const holder = document.getElementById("explorer-data");
  if (!holder) return;
  const data = JSON.parse(holder.textContent);
  const PAGE_ROWS = 12;
  const find = (id) => document.getElementById(id);

  function make(tag, text, attributes = {}) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  // ---- plots: Bokeh shares the selection of one source between them
  const roots = Object.fromEntries(data.bokeh.roots.map((root) => [root.id, "plot-" + root.attributes.name]));
  await Bokeh.embed.embed_items(
    { samples: data.bokeh },
    [{ docid: "samples", roots, root_ids: Object.keys(roots) }],
  );
  const document_ = Bokeh.documents[Bokeh.documents.length - 1];
  const source = document_.get_model_by_name("samples");
  const cursor = document_.get_model_by_name("cursor");
  const column = (name) => source.data[name];
  const count = column(data.views[0].x).length;
  const every = Array.from({ length: count }, (_, i) => i);
  const classification = data.task === "classification";
  const wrong = every.map((i) => (classification ? !column("correct")[i] : column("residual")[i] < 0));

  // ---- words and pictures of a sample
  function written(name, i) {
    const value = column(name)[i];
    if (classification && (name === "y_true" || name === "y_pred")) return data.classes[value];
    if (name === "correct") return value ? "correct" : "wrong";
    if (!Number.isFinite(value)) return "–";
    if (name === "index") return String(value);
    const digits = data.columns.find(([key]) => key === name)[3];
    const size = Math.abs(value);
    const text = size !== 0 && (size < 10 ** -digits || size >= 1e6) ? value.toExponential(1) : value.toFixed(digits);
    return text.replace("-", "−");
  }

  function thumbnail(i, height) {
    if (!data.atlas || i >= data.atlas.count) return null;
    const { columns, width, height: own, count: all } = data.atlas;
    const wide = Math.round((height * width) / own);
    const rows = Math.ceil(all / columns);
    const span = make("span", undefined, { class: "thumb", role: "img", "aria-label": "image of sample " + written("index", i) });
    Object.assign(span.style, {
      width: wide + "px", height: height + "px",
      backgroundSize: `${columns * wide}px ${rows * height}px`,
      backgroundPosition: `${-(i % columns) * wide}px ${-Math.floor(i / columns) * height}px`,
    });
    return span;
  }

  const sentence = (i) => data.columns.map(([name, label]) => `${label} ${written(name, i)}`).join(", ");

  // ---- the sample that pointer or keyboard is at
  const tip = find("tip");
  let pointer = { x: 0, y: 0 };
  document.addEventListener("pointermove", (event) => { pointer = { x: event.clientX, y: event.clientY }; });

  function showTip(i, at) {
    tip.replaceChildren();
    const picture = thumbnail(i, 112);
    if (picture) tip.append(picture);
    const facts = make("dl");
    for (const [name, label] of data.columns) facts.append(make("dt", label), make("dd", written(name, i)));
    tip.append(facts);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = at.x + 16 + width > innerWidth ? at.x - 16 - width : at.x + 16;
    tip.style.left = Math.max(4, Math.min(left, innerWidth - width - 4)) + "px";
    tip.style.top = Math.max(4, Math.min(at.y + 16, innerHeight - height - 4)) + "px";
    const names = Object.keys(cursor.data);
    cursor.data = Object.fromEntries(names.map((name) => [name, [column(name)[i]]]));
  }

  function hideTip() {
    if (tip.hidden) return;
    tip.hidden = true;
    cursor.data = Object.fromEntries(Object.keys(cursor.data).map((name) => [name, []]));
  }

  source.inspect.connect(() => {
    const [first] = source.inspected.indices;
    if (first === undefined) hideTip(); else showTip(first, pointer);
  });

  // ---- selection
  const selection = () => Array.from(source.selected.indices);
  const select = (indices) => { source.selected.indices = indices; };
  let cause = "";

  function selectionText(chosen) {
    if (!chosen.length) return "Nothing is selected.";
    const noun = chosen.length === 1 ? "sample" : "samples";
    const bad = chosen.filter((i) => wrong[i]).length;
    const among = classification ? ` ${bad} of ${chosen.length} ${chosen.length === 1 ? "is" : "are"} wrong.` : "";
    return `${cause}${chosen.length} ${noun} selected.${among}`;
  }

  function refresh() {
    const chosen = selection();
    find("selection").textContent = selectionText(chosen);
    find("clear").disabled = !chosen.length;
    cause = "";
    markCells(chosen);
    pageNumber = 0;
    fillRows();
  }
  source.selected.change.connect(refresh);
  find("clear").addEventListener("click", () => select([]));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    hideTip();
    select([]);
  });

  // ---- keyboard in a plot: from sample to sample along the horizontal axis
  for (const view of data.views) {
    const box = find("plot-" + view.key);
    let place = -1;
    box.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      const order = every.filter((i) => Number.isFinite(column(view.x)[i]) && Number.isFinite(column(view.y)[i]))
        .sort((a, b) => column(view.x)[a] - column(view.x)[b]);
      if (!order.length) return;
      if (step) place = Math.max(0, Math.min(order.length - 1, place + step));
      else if (event.key === "Home") place = 0;
      else if (event.key === "End") place = order.length - 1;
      else if (event.key !== "Enter" || place < 0) return;
      event.preventDefault();
      const i = order[Math.max(place, 0)];
      if (event.key === "Enter") {
        toggle(i);
        return;
      }
      const { left, top } = box.getBoundingClientRect();
      showTip(i, { x: left + 40, y: top + 30 });
      find("selection").textContent = sentence(i);
    });
    box.addEventListener("blur", hideTip);
    box.addEventListener("pointerleave", hideTip);
  }

  function toggle(i) {
    const chosen = selection();
    select(chosen.includes(i) ? chosen.filter((other) => other !== i) : [...chosen, i]);
  }

  // ---- colours
  const styleOf = (k) => [data.colors[k % data.colors.length], data.markers[k % data.markers.length]];
  const outcome = classification
    ? [["correct", data.colors[0], "circle"], ["wrong", data.colors[1], "x"]]
    : [["predicted too low", data.colors[0], "circle"], ["predicted too high", data.colors[1], "x"]];

  function colour(by) {
    let looks;
    let entries;
    if (by === "outcome") {
      looks = every.map((i) => outcome[Number(wrong[i])].slice(1));
      entries = outcome;
    } else if (by === "y_true" || by === "y_pred") {
      looks = every.map((i) => styleOf(column(by)[i]));
      const present = [...new Set(column(by))].sort((a, b) => a - b);
      entries = present.slice(0, 40).map((k) => [data.classes[k], ...styleOf(k)]);
      if (present.length > 40) entries.push([`and ${present.length - 40} more classes`, "none", "circle"]);
    } else {
      const values = every.map((i) => (by === "size" ? Math.abs(column("residual")[i]) : column(by)[i]));
      const finite = values.filter(Number.isFinite);
      const largest = finite.reduce((a, b) => Math.max(a, b), 0) || 1;
      const shade = (v) => data.ramp[Math.round(Math.max(0, v / largest) * (data.ramp.length - 1)) || 0];
      looks = every.map((i) => [shade(values[i]), outcome[Number(wrong[i])][2]]);
      entries = [0, 0.5, 1].map((share) => [(share * largest).toPrecision(2), shade(share * largest), "square"]);
    }
    source.data = { ...source.data, color: looks.map(([c]) => c), marker: looks.map(([, m]) => m) };
    for (const list of document.querySelectorAll(".legend")) {
      list.replaceChildren(...entries.map(([text, fill, marker]) => legendEntry(text, fill, marker)));
    }
  }

  const SHAPES = {
    circle: "M6 1a5 5 0 1 0 .01 0z", square: "M1.5 1.5h9v9h-9z", triangle: "M6 1l5 9.5H1z",
    diamond: "M6 0l5 6-5 6-5-6z", inverted_triangle: "M6 11L1 1.5h10z",
    plus: "M5 1h2v4h4v2H7v4H5V7H1V5h4z", x: "M2.2 1L6 4.8 9.8 1 11 2.2 7.2 6 11 9.8 9.8 11 6 7.2 2.2 11 1 9.8 4.8 6 1 2.2z",
    star: "M6 0l1.6 4H12L8.5 6.8 10 11.5 6 8.7l-4 2.8 1.5-4.7L0 4h4.4z",
  };

  function legendEntry(text, fill, marker) {
    const entry = make("li");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    for (const [name, value] of [["viewBox", "0 0 12 12"], ["width", "12"], ["height", "12"], ["aria-hidden", "true"]]) {
      svg.setAttribute(name, value);
    }
    path.setAttribute("d", SHAPES[marker]);
    path.setAttribute("fill", fill);
    svg.append(path);
    entry.append(svg, make("span", text));
    return entry;
  }
  find("colour").addEventListener("change", (event) => colour(event.target.value));

  find("projection")?.addEventListener("change", (event) => {
    const view = data.views.find(({ key }) => key === "map");
    [view.x, view.y] = [event.target.value + "_1", event.target.value + "_2"];
    const plot = document_.get_model_by_name("map");
    for (const renderer of plot.renderers) {
      for (const glyph of ["glyph", "selection_glyph", "nonselection_glyph"]) {
        if (renderer[glyph]?.setv) renderer[glyph].setv({ x: { field: view.x }, y: { field: view.y } });
      }
    }
    const name = data.projections[event.target.value];
    plot.below[0].axis_label = name + ", first axis";
    plot.left[0].axis_label = name + ", second axis";
  });

  // ---- confusion matrix
  const cells = new Map();

  function buildMatrix() {
    const table = find("matrix");
    if (!table) return;
    const names = data.classes;
    const totals = names.map(() => 0);
    for (const [actual, , n] of data.confusion) totals[actual] += n;
    const head = make("thead");
    const top = make("tr");
    top.append(make("th", "actual \\ predicted", { scope: "col" }));
    for (const name of names) {
      const heading = make("th", undefined, { scope: "col" });
      heading.append(make("span", name));
      top.append(heading);
    }
    head.append(top);
    const body = make("tbody");
    const lookup = new Map(data.confusion.map(([actual, predicted, n]) => [actual * names.length + predicted, n]));
    names.forEach((name, actual) => {
      const row = make("tr");
      row.append(make("th", name, { scope: "row" }));
      names.forEach((other, predicted) => {
        const n = lookup.get(actual * names.length + predicted);
        const cell = make("td");
        if (n) cell.append(matrixButton(actual, predicted, n, n / totals[actual]));
        row.append(cell);
      });
      body.append(row);
    });
    table.append(head, body);
    table.classList.toggle("many", names.length > 12);
    table.addEventListener("keydown", walkMatrix);
    table.querySelector("button")?.setAttribute("tabindex", "0");
  }

  function matrixButton(actual, predicted, n, share) {
    const [a, p] = [data.classes[actual], data.classes[predicted]];
    const label = actual === predicted ? `${a}, predicted rightly: ${n}` : `${a}, predicted as ${p}: ${n}`;
    const button = make("button", String(n), { type: "button", tabindex: "-1", "aria-label": label, "aria-pressed": "false", title: label });
    const mixed = [0, 90, 143].map((end) => Math.round(255 + (end - 255) * share));
    button.style.background = `rgb(${mixed.join(",")})`;
    button.style.color = share > 0.8 ? "#fff" : "#000";
    button.dataset.cell = `${actual},${predicted}`;
    button.addEventListener("click", () => {
      const own = every.filter((i) => column("y_true")[i] === actual && column("y_pred")[i] === predicted);
      const missing = own.length < n ? ` (the page has ${own.length} of ${n})` : "";
      cause = `${label}${missing}. `;
      select(own);
      if (!own.length) find("selection").textContent = `${cause}None of them is in this page.`;
    });
    cells.set(`${actual},${predicted}`, button);
    return button;
  }

  function markCells(chosen) {
    if (!cells.size) return;
    const found = new Map();
    for (const i of chosen) {
      const key = `${column("y_true")[i]},${column("y_pred")[i]}`;
      found.set(key, (found.get(key) || 0) + 1);
    }
    for (const [key, button] of cells) button.setAttribute("aria-pressed", String(found.has(key)));
  }

  // Arrow keys move to the next filled cell; Tab enters and leaves the matrix as one control.
  function walkMatrix(event) {
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] || [0, 0];
    if (!event.target.dataset.cell || (!down && !right)) return;
    event.preventDefault();
    let [row, col] = event.target.dataset.cell.split(",").map(Number);
    const inside = (k) => k >= 0 && k < data.classes.length;
    do { row += down; col += right; } while (inside(row) && inside(col) && !cells.has(`${row},${col}`));
    const next = cells.get(`${row},${col}`);
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  // ---- table of samples
  let pageNumber = 0;
  let sortedBy = classification ? "entropy" : "residual";
  let descending = true;

  function listed() {
    const chosen = selection();
    let shown = chosen.length ? chosen : every;
    if (find("filter").value === "wrong") shown = shown.filter((i) => wrong[i]);
    if (find("filter").value === "right") shown = shown.filter((i) => !wrong[i]);
    const values = column(sortedBy);
    const named = classification && (sortedBy === "y_true" || sortedBy === "y_pred");
    const sized = sortedBy === "residual" || sortedBy === "standardised"; // errors rank by size, whatever their sign
    const key = (i) => (named ? data.classes[values[i]] : sized ? Math.abs(values[i]) : values[i]);
    return [...shown].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (named) return (descending ? -1 : 1) * x.localeCompare(y, "en", { numeric: true }) || a - b;
      const unknown = Number.isNaN(x) - Number.isNaN(y);
      return unknown || (descending ? y - x : x - y) || a - b;
    });
  }

  function buildTable() {
    const row = make("tr");
    if (data.atlas) row.append(make("td", undefined, { class: "image" }));
    for (const [name, label, about] of data.columns) {
      const heading = make("th", undefined, { scope: "col", "data-column": name });
      const button = make("button", label, { type: "button" });
      if (about) button.title = about;
      button.addEventListener("click", () => {
        descending = sortedBy === name ? !descending : name !== "index";
        sortedBy = name;
        pageNumber = 0;
        fillRows();
      });
      if (numeric(name)) heading.className = "n";
      heading.append(button);
      row.append(heading);
    }
    find("rows").tHead.append(row);
    const options = classification
      ? [["all", "all"], ["wrong", "wrong predictions"], ["right", "correct predictions"]]
      : [["all", "all"], ["right", "predicted too low"], ["wrong", "predicted too high"]];
    find("filter").append(...options.map(([value, text]) => make("option", text, { value })));
    find("filter").addEventListener("change", () => { pageNumber = 0; fillRows(); });
    find("previous").addEventListener("click", () => { pageNumber -= 1; fillRows(); });
    find("next").addEventListener("click", () => { pageNumber += 1; fillRows(); });
  }

  function fillRows() {
    for (const heading of find("rows").tHead.querySelectorAll("th")) {
      heading.removeAttribute("aria-sort");
      if (heading.dataset.column === sortedBy) heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    }
    const shown = listed();
    const pages = Math.max(1, Math.ceil(shown.length / PAGE_ROWS));
    const chosen = new Set(selection());
    const rows = shown.slice(pageNumber * PAGE_ROWS, (pageNumber + 1) * PAGE_ROWS);
    find("rows").tBodies[0].replaceChildren(...rows.map((i) => sampleRow(i, chosen.has(i))));
    find("page-number").textContent = `page ${pageNumber + 1} of ${pages}, ${shown.length} samples`;
    find("previous").disabled = pageNumber === 0;
    find("next").disabled = pageNumber >= pages - 1;
  }

  const numeric = (name) => name !== "index" && name !== "correct" && !(classification && name.startsWith("y_"));

  function sampleRow(i, chosen) {
    const row = make("tr", undefined, { "data-sample": written("index", i) });
    if (data.atlas) {
      const cell = make("td", undefined, { class: "image" });
      cell.append(thumbnail(i, 36) || "");
      row.append(cell);
    }
    for (const [name] of data.columns) {
      const cell = make(name === "index" ? "th" : "td");
      if (name === "index") {
        cell.scope = "row";
        const button = make("button", written(name, i), { type: "button", "aria-pressed": String(chosen), "aria-label": `select sample ${written(name, i)}` });
        button.addEventListener("click", () => { toggle(i); find("rows").querySelector(`[data-sample="${written("index", i)}"] button`)?.focus(); });
        button.addEventListener("focus", () => { const { right, top } = button.getBoundingClientRect(); showTip(i, { x: right + 60, y: top }); });
        button.addEventListener("blur", hideTip);
        cell.append(button);
      } else {
        cell.textContent = written(name, i);
        if (cell.textContent.length > 24) cell.title = cell.textContent;
        if (name === "correct" && wrong[i]) cell.className = "wrong";
        else if (numeric(name)) cell.className = "n";
      }
      row.append(cell);
    }
    row.addEventListener("pointerenter", () => showTip(i, pointer));
    row.addEventListener("pointerleave", hideTip);
    return row;
  }

  buildMatrix();
  buildTable();
  colour("outcome");
  refresh();
  document.documentElement.dataset.ready = "true";
})();
