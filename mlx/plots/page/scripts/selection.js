// What the reader asked for: filters, colors, order and the sample that is open. It stands in the address of the page.
const SETTINGS = ["color", "size", "map", "sort", "at"];

class Selection {
  constructor(samples, defaults) {
    Object.assign(this, { samples, defaults, reactions: [], reason: "" });
    this.reset();
  }

  reset() {
    this.pairs = [];
    this.settings = { ...this.defaults };
    this.apply();
  }

  // Calls `react` after every change with the names of the settings that changed, and "filters".
  onChange(react) {
    this.reactions.push(react);
  }

  // A filter replaces others of its key; one without a value is removed.
  filter(changes, reason = "") {
    const keys = changes.map(([key]) => key);
    const kept = this.pairs.filter(([key]) => !keys.includes(key));
    this.replace([...kept, ...changes.filter(([, value]) => value)], reason);
  }

  replace(pairs, reason = "") {
    this.reason = reason;
    this.pairs = pairs;
    this.apply();
    this.write(true);
    this.tell(["filters"]);
  }

  set(name, value) {
    if (this.settings[name] === value) return;
    this.settings[name] = value;
    this.write(name === "at");
    this.tell([name]);
  }

  tell(changed) {
    this.order = null;
    for (const react of this.reactions) react(new Set(changed));
    this.reason = "";
  }

  apply() {
    this.filters = this.pairs.map((pair) => ({ pair, ...filterOf(pair, this.samples) })).filter((one) => one.keeps);
    this.pairs = this.filters.map((one) => one.pair);
    const { n } = this.samples;
    this.mask = new Uint8Array(n).fill(1);
    for (const { keeps } of this.filters) {
      for (let i = 0; i < n; i++) if (this.mask[i] && !keeps(i)) this.mask[i] = 0;
    }
    this.count = 0;
    for (let i = 0; i < n; i++) this.count += this.mask[i];
    this.order = null;
  }

  get isActive() {
    return this.filters.length > 0;
  }

  // The selected samples in the order of the table and the gallery; all where no filter is set.
  get listed() {
    this.order ||= sortedBy(this.settings.sort, this.samples).filter((i) => this.mask[i]);
    return this.order;
  }

  numbers() {
    const index = this.samples.values("index");
    return Array.from(this.listed, (i) => index[i]).sort((a, b) => a - b);
  }

  // Adds or removes one sample among those that were picked one by one.
  toggle(i) {
    const number = this.samples.values("index")[i];
    const own = this.pairs.find(([key]) => key === "samples");
    const picked = own ? own[1].split(",").map(Number) : [];
    const kept = picked.includes(number) ? picked.filter((other) => other !== number) : [...picked, number];
    this.filter([["samples", kept.join()]]);
  }

  get address() {
    const query = new URLSearchParams(this.pairs);
    for (const name of SETTINGS) if (this.settings[name] !== this.defaults[name]) query.append(name, this.settings[name]);
    const text = query.toString();
    return text ? `#explore?${text}` : "#explore";
  }

  write(isStep) {
    if (location.hash === this.address || (this.address === "#explore" && !location.hash.includes("?"))) return;
    if (isStep) history.pushState(null, "", this.address);
    else history.replaceState(null, "", this.address);
  }

  // Reads the address; that of another section changes nothing.
  read() {
    if (location.hash && !location.hash.startsWith("#explore?")) return false;
    const query = [...new URLSearchParams(location.hash.slice("#explore?".length))];
    this.pairs = query.filter(([key]) => !SETTINGS.includes(key));
    this.reason = "";
    const settings = query.filter(([key, value]) => SETTINGS.includes(key) && this.allows(key, value));
    this.settings = { ...this.defaults, ...Object.fromEntries(settings) };
    this.apply();
    this.tell(["filters", ...SETTINGS]);
    return Boolean(location.hash);
  }

  allows(name, value) {
    const key = value.replace(/^-/, "");
    if (name === "map") return key in this.samples.data.projections;
    return name === "at" ? /^\d+$/.test(value) : this.samples.columns.has(key) || value === "outcome" || value === "";
  }

  text() {
    const { samples, count, isActive } = this;
    if (!isActive) return "Nothing is selected.";
    const wanted = this.filters.length === 1 ? this.filters[0].wanted : 0;
    const missing = wanted > count ? `The page has ${count} of ${wanted}. ` : "";
    if (!count) return `${this.reason}${missing}No sample of this page meets all filters.`;
    let wrong = 0;
    for (let i = 0; i < samples.n; i++) wrong += this.mask[i] && samples.wrong[i];
    const share = samples.classification ? ` ${wrong} of ${count} ${count === 1 ? "is" : "are"} wrong.` : "";
    return `${this.reason}${missing}${count} ${count === 1 ? "sample" : "samples"} selected.${share}`;
  }
}

const ORDERS = new Map();

// All samples in an order such as "entropy" or, the largest first, "-entropy"; what is missing comes last.
function sortedBy(order, samples) {
  if (!ORDERS.has(order)) {
    const descending = order.startsWith("-");
    const key = descending ? order.slice(1) : order;
    const ranks = ranksOf(key, samples);
    const sign = descending ? -1 : 1;
    const unknownLast = (a, b) => Number.isNaN(ranks[a]) - Number.isNaN(ranks[b]);
    const all = Uint32Array.from(ranks, (_, i) => i);
    ORDERS.set(order, all.sort((a, b) => unknownLast(a, b) || sign * (ranks[a] - ranks[b]) || a - b));
  }
  return ORDERS.get(order);
}

// Numbers that sort as the values do: names by alphabet, residuals by size.
function ranksOf(key, samples) {
  const [names, values] = [samples.names(key), samples.values(key)];
  const { kind } = samples.columns.get(key);
  if (names && kind !== "flag") {
    const sorted = names.map((_, k) => k).sort((a, b) => names[a].localeCompare(names[b], "en", { numeric: true }));
    const rank = new Float64Array(names.length);
    sorted.forEach((place, k) => { rank[place] = k; });
    return Float64Array.from(values, (value) => (Number.isNaN(value) ? NaN : rank[value]));
  }
  return key === "residual" || key === "standardised" ? values.map(Math.abs) : values;
}
