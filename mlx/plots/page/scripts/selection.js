// What the reader asked for: filters, colors, order and the sample that is open. It stands in the address of the page.
const SETTINGS = ["split", "color", "size", "map", "sort", "at"];

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

  get splits() {
    return this.settings.split.split(",");
  }

  get isUsualSplit() {
    return this.settings.split === this.defaults.split;
  }

  // A filter replaces others of its key; one without a value is removed.
  filter(changes, reason = "", split = this.settings.split) {
    const keys = changes.map(([key]) => key);
    const kept = this.pairs.filter(([key]) => !keys.includes(key));
    this.replace([...kept, ...changes.filter(([, value]) => value)], reason, split);
  }

  replace(pairs, reason = "", split = this.settings.split) {
    const changed = ["filters", ...(split === this.settings.split ? [] : ["split"])];
    this.reason = reason;
    this.pairs = pairs;
    this.settings.split = split;
    this.apply();
    this.write(true);
    this.tell(changed);
  }

  // Replaces all filters by those of a query; what it does not say of the parts of the data is as at first.
  select(query) {
    const { pairs, split } = parted(query);
    this.replace(pairs, "", this.known(split));
  }

  // Returns the parts that the page has of those named, in its order.
  known(split) {
    const named = (split ?? "").split(",");
    return this.samples.splits.filter((one) => named.includes(one)).join() || this.defaults.split;
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
    this.samples.showSplits(this.splits);
    this.filters = this.pairs.map((pair) => ({ pair, ...filterOf(pair, this.samples) })).filter((one) => one.keeps);
    this.pairs = this.filters.map((one) => one.pair);
    const { n } = this.samples;
    this.mask = this.samples.inShown.slice();
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

  // The selected samples in the order of the table and the gallery; all that are shown where no filter is set.
  get listed() {
    this.order ||= sortedBy(this.settings.sort, this.samples).filter((i) => this.mask[i]);
    return this.order;
  }

  // Those selected, by part and number.
  ordered() {
    const { samples } = this;
    const index = samples.values("index");
    const part = samples.splits.length > 1 ? samples.values("split") : new Uint8Array(samples.n);
    return Array.from(this.listed).sort((a, b) => part[a] - part[b] || index[a] - index[b]);
  }

  numbers() {
    const index = this.samples.values("index");
    return this.ordered().map((i) => index[i]);
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
    this.settings.split = this.known(this.settings.split);
    this.apply();
    this.tell(["filters", ...SETTINGS]);
    return Boolean(location.hash);
  }

  allows(name, value) {
    const key = value.replace(/^-/, "");
    if (name === "split") return true; // and is brought in order where it is read
    if (name === "map") return key in this.samples.data.projections;
    return name === "at" ? /^\d+$/.test(value) : this.samples.columns.has(key) || value === "outcome" || value === "";
  }

  text() {
    const { samples, count, isActive } = this;
    if (!isActive) return `Nothing is selected.${this.isUsualSplit ? "" : ` Shown: ${this.sizes()}.`}`;
    const { wanted = 0, absent = 0 } = this.filters.length === 1 ? this.filters[0] : {};
    const missing = absent ? `The page has ${wanted - absent} of ${wanted}. ` : "";
    if (!count) return `${this.reason}${missing}No ${this.isUsualSplit ? "sample of this page" : "sample of these parts"} meets all filters.`;
    let wrong = 0;
    for (let i = 0; i < samples.n; i++) wrong += this.mask[i] && samples.wrong[i];
    const share = samples.classification ? ` ${wrong} of ${count} ${count === 1 ? "is" : "are"} wrong.` : "";
    const parts = this.isUsualSplit ? "" : ` (${this.sizes()})`;
    return `${this.reason}${missing}${count} ${count === 1 ? "sample" : "samples"} selected${parts}.${share}`;
  }

  // Says how many samples of each part are selected.
  sizes() {
    const { samples, mask } = this;
    const counts = samples.splits.map(() => 0);
    const part = samples.values("split");
    for (let i = 0; i < samples.n; i++) counts[part[i]] += mask[i];
    return samples.splits.map((name, k) => `${counts[k]} ${name}`).filter((_, k) => samples.shownSplits.includes(samples.splits[k])).join(", ");
  }
}

// Divides a query into filters and the parts of the data, which it need not have.
function parted(query) {
  const pairs = [...new URLSearchParams(query)];
  return { pairs: pairs.filter(([key]) => key !== "split"), split: pairs.find(([key]) => key === "split")?.[1] };
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
