// The controls above the plots: filters, color and size; and the filters in use as chips to remove.
const HEADINGS = { prediction: "Prediction", factor: "Factors", feature: "Columns of the data", score: "Scores of failure", layer: "Representation", place: "Place in the map", more: "More numbers" };

// A label with a choice among [value, text], or { heading: [[value, text], ...] }.
function chooser(label, options, value = "") {
  const select = make("select");
  const entries = (listed) => listed.map(([key, text]) => make("option", text, { value: key }));
  if (Array.isArray(options)) select.append(...entries(options));
  else {
    for (const [heading, listed] of Object.entries(options)) {
      if (!listed.length) continue;
      if (!heading) select.append(...entries(listed));
      else {
        const group = make("optgroup", undefined, { label: heading });
        group.append(...entries(listed));
        select.append(group);
      }
    }
  }
  select.value = value;
  const box = make("label", `${label} `);
  box.append(select);
  return box;
}

// Columns that pass a test, by the headings of their groups.
function columnOptions(samples, passes, first = []) {
  const found = { "": first };
  for (const [group, heading] of Object.entries(HEADINGS)) {
    found[heading] = samples.keys.filter((key) => samples.columns.get(key).group === group && passes(key)).map((key) => [key, samples.label(key)]);
  }
  return found;
}

class Filters {
  constructor(samples, selection) {
    Object.assign(this, { samples, selection, selects: new Map() });
    const box = byId("filters");
    if (samples.splits.length > 1) this.addSplits(box);
    if (samples.classification) this.addEqual(box, ["y_true", "y_pred", "correct"]);
    else this.addChoice(box, "f.residual", "residual", [["", "any"], [">0", "predicted too low"], ["<0", "predicted too high"]]);
    this.addCategories(box);
    this.addPresets(box);
    this.addRange(box);
    this.addSearch(box);
    box.append(this.looks());
    byId("clear").addEventListener("click", () => selection.replace([], "", selection.defaults.split));
  }

  // Which parts of the data are shown, of which one always is.
  addSplits(box) {
    const { samples, selection } = this;
    const codes = samples.values("split");
    const group = make("span", "Split", { class: "group", id: "splits", role: "group", "aria-label": "Parts of the data that are shown" });
    this.splits = samples.splits.map((name, k) => {
      const input = make("input", undefined, { type: "checkbox", value: name });
      const count = codes.reduce((sum, code) => sum + (code === k), 0);
      const label = make("label");
      label.append(input, ` ${name} (${count < 10000 ? count : count.toLocaleString("en").replaceAll(",", " ")})`);
      input.addEventListener("change", () => {
        const chosen = this.splits.filter((one) => one.checked).map((one) => one.value);
        if (chosen.length) selection.replace(selection.pairs, "", chosen.join());
        else input.checked = true;
      });
      group.append(label);
      return input;
    });
    box.append(group);
  }

  addEqual(box, keys) {
    for (const key of keys) {
      const names = this.samples.names(key).map((name, k) => [`=${key === "correct" ? name : k}`, name]);
      const select = this.addChoice(box, `f.${key}`, this.samples.label(key), [["", "any"], ...names]);
      if (key === "correct") select.id = "filter";
    }
  }

  addChoice(box, key, text, options) {
    const label = chooser(text, options);
    const select = label.querySelector("select");
    select.addEventListener("change", () => this.selection.filter([[key, select.value]]));
    this.selects.set(key, select);
    box.append(label);
    return select;
  }

  // One choice for the categories of all other columns.
  addCategories(box) {
    const options = {};
    for (const key of this.samples.keys) {
      const names = this.samples.names(key);
      if (this.samples.columns.get(key).kind !== "category" || names.length > 200) continue;
      options[this.samples.label(key)] = names.map((name) => [new URLSearchParams([[`f.${key}`, `=${name}`]]).toString(), name]);
    }
    if (Object.keys(options).length) box.append(this.adder("Category", { "": [["", "choose"]], ...options }));
  }

  addPresets(box) {
    const { presets } = this.samples.data;
    const options = { "": [["", "choose"]] };
    for (const [heading, text, query] of presets) (options[heading] ||= []).push([query, text]);
    if (presets.length) box.append(this.adder("Found", options));
  }

  // A choice whose values are queries, which it adds to the filters in use.
  adder(label, options) {
    const box = chooser(label, options);
    const select = box.querySelector("select");
    select.addEventListener("change", () => {
      const query = select.value;
      select.value = "";
      addQuery(query, this.selection);
    });
    return box;
  }

  addRange(box) {
    const columns = chooser("Range of", columnOptions(this.samples, (key) => this.samples.isNumeric(key), [["", "choose"]]));
    const select = columns.querySelector("select");
    select.id = "range";
    const ends = ["least", "most"].map((name) => make("input", undefined, { type: "text", inputmode: "decimal", "aria-label": `${name} value`, placeholder: name, size: 7, disabled: "" }));
    select.addEventListener("change", () => {
      ends.forEach((end) => { end.disabled = !select.value; });
      this.showRange(select.value, ends);
    });
    for (const end of ends) {
      end.addEventListener("change", () => {
        const [low, high] = ends.map((one) => one.value.trim().replace("−", "-").replace(",", "."));
        end.setAttribute("aria-invalid", String(!Number.isFinite(Number(end.value.trim().replace("−", "-").replace(",", ".")))));
        if (select.value && [low, high].every((text) => Number.isFinite(Number(text)))) {
          this.selection.filter([[`f.${select.value}`, low || high ? `${low}~${high}` : ""]]);
        }
      });
    }
    const group = make("span", undefined, { class: "group" });
    group.append(columns, ends[0], ends[1]);
    this.range = () => this.showRange(select.value, ends);
    box.append(group);
  }

  showRange(key, ends) {
    const own = this.selection.pairs.find(([one]) => one === `f.${key}`);
    const [, low, high] = /^([^~]*)~([^~]*)$/.exec(own?.[1] ?? "~") || [];
    const { packed } = this.samples.columns.get(key) || {};
    const values = key ? this.samples.shownValues(key).filter(Number.isFinite) : [];
    const [first, last] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    [[low, first], [high, last]].forEach(([value, end], k) => {
      ends[k].value = value || "";
      ends[k].placeholder = values.length ? this.samples.plain(end, packed) : ["least", "most"][k];
    });
  }

  addSearch(box) {
    const search = make("input", undefined, { type: "search", id: "search", placeholder: "class, text or number", size: 20 });
    const label = make("label", "Search ");
    label.append(search);
    let wait;
    search.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(() => this.selection.filter([["text", search.value.trim()]]), 250);
    });
    this.search = search;
    box.append(label);
  }

  // Color and size of the points, and the projection of the map.
  looks() {
    const box = make("span", undefined, { class: "group" });
    const first = [["outcome", this.samples.classification ? "outcome" : "sign of the residual"]];
    const plain = (key) => key !== "correct" && key !== "index";
    const colors = chooser("Color by", columnOptions(this.samples, plain, first));
    const sizes = chooser("Size by", columnOptions(this.samples, (key) => this.samples.isNumeric(key), [["", "nothing"]]));
    const kinds = Object.entries(this.samples.data.projections);
    const settings = { color: colors, size: sizes, map: chooser("Map", kinds) };
    for (const [name, label] of Object.entries(settings)) {
      const select = label.querySelector("select");
      select.id = name === "map" ? "projection" : name;
      select.addEventListener("change", () => this.selection.set(name, select.value));
      this.selects.set(name, select);
    }
    box.append(...(kinds.length > 1 ? [settings.map] : []), colors, sizes);
    return box;
  }

  refresh() {
    const values = { ...this.selection.settings, ...Object.fromEntries(this.selection.pairs) };
    for (const [key, select] of this.selects) {
      select.value = values[key] ?? "";
      if (select.selectedIndex < 0) select.value = "";
    }
    if (document.activeElement !== this.search) this.search.value = values.text ?? "";
    this.range();
    const { selection } = this;
    for (const input of this.splits ?? []) input.checked = selection.splits.includes(input.value);
    byId("clear").disabled = !selection.isActive && selection.isUsualSplit;
    const chips = selection.filters.map(({ pair, words }) => this.chip(words, () => selection.replace(selection.pairs.filter((other) => other !== pair))));
    if (!selection.isUsualSplit) {
      chips.unshift(this.chip(`split: ${selection.splits.join(", ")}`, () => selection.replace(selection.pairs, "", selection.defaults.split)));
    }
    byId("chips").replaceChildren(...chips);
  }

  chip(words, remove) {
    const button = make("button", words, { type: "button", "aria-label": `remove filter ${words}` });
    button.append(make("span", "×", { "aria-hidden": "true" }));
    button.addEventListener("click", () => {
      remove();
      (byId("chips").querySelector("button") || byId("filters").querySelector("select")).focus();
    });
    const item = make("li");
    item.append(button);
    return item;
  }
}

// Adds the filters of a query to those in use; of a column it may add both ends of a range.
function addQuery(query, selection) {
  if (!query) return;
  const { pairs, split } = parted(query);
  const keys = new Set(pairs.map(([key]) => key));
  const others = selection.pairs.filter(([key]) => !keys.has(key));
  selection.replace([...others, ...pairs], "", split ? selection.known(split) : selection.settings.split);
}
