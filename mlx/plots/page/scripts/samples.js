// The samples of the page: their numbers, how each number is written, and their images.
class Samples {
  // `data` is the JSON of the page.
  static async read(data) {
    const samples = new Samples();
    const values = await Promise.all(data.columns.map(({ packed }) => unpacked(packed)));
    const [order, classes, shares, nearest, texts, issues] = await Promise.all([
      unpacked(data.order), unpackedAll(data.probable.classes), unpackedAll(data.probable.shares), unpackedAll(data.nearest),
      data.texts ? unpackedText(data.texts) : [], unpackedIssues(data.issues),
    ]);
    Object.assign(samples, { data, classes, shares, nearest, texts, issues, classification: data.task === "classification" });
    samples.columns = new Map(data.columns.map((column, k) => [column.key, { ...column, values: values[k] }]));
    samples.n = values[0].length;
    samples.place = new Uint32Array(samples.n).fill(samples.n); // of each sample among those that are looked at first
    order.forEach((i, k) => { samples.place[i] = k; });
    samples.setWrong();
    samples.places = new Map(Array.from(samples.values("index"), (number, i) => [number, i])); // by number
    samples.splits = samples.columns.get("split")?.categories ?? ["test"];
    samples.showSplits(["test"]);
    return samples;
  }

  // Chooses the parts of the data that are shown; `inShown` has 1 for each of their samples.
  showSplits(names) {
    this.shownSplits = names;
    const isShown = this.splits.map((name) => names.includes(name));
    this.inShown = this.splits.length > 1 ? Uint8Array.from(this.values("split"), (code) => isShown[code]) : new Uint8Array(this.n).fill(1);
    this.nShown = this.inShown.reduce((sum, one) => sum + one, 0);
  }

  // The values of a column of the samples in the parts that are shown.
  shownValues(key) {
    const values = this.values(key);
    return this.nShown === this.n ? values : values.filter((_, i) => this.inShown[i]);
  }

  splitOf(i) {
    return this.splits.length > 1 ? this.splits[this.values("split")[i]] : "test";
  }

  // What a sample is called: its number, of another part than the test part with its name.
  nameOf(i) {
    const split = this.splitOf(i);
    return `${split === "test" ? "" : `${split} `}sample ${this.text("index", i)}`;
  }

  // What it is called in a list of ids.
  idOf(i) {
    const number = this.text("index", i);
    return this.splits.length > 1 ? `${this.splitOf(i)} ${number}` : number;
  }

  // Of a regression, those predicted too high.
  setWrong() {
    const outcome = this.values(this.classification ? "correct" : "residual");
    this.wrong = Uint8Array.from(outcome, (value) => (this.classification ? value === 0 : value < 0));
  }

  values(key) {
    return this.columns.get(key).values;
  }

  get keys() {
    return [...this.columns.keys()];
  }

  label(key) {
    return this.columns.get(key).label;
  }

  // The names that the numbers of a column stand for; undefined of a column of numbers.
  names(key) {
    const { kind, categories } = this.columns.get(key);
    if (kind === "flag") return ["wrong", "correct"];
    return kind === "class" ? this.data.classes : categories;
  }

  isNumeric(key) {
    const { kind } = this.columns.get(key);
    return kind === "number" || kind === "date";
  }

  text(key, i) {
    return this.write(key, this.values(key)[i]);
  }

  // Writes a value of a column.
  write(key, value) {
    if (Number.isNaN(value)) return "–";
    const names = this.names(key);
    if (names) return names[value];
    const { kind, packed } = this.columns.get(key);
    if (kind === "index") return String(value);
    if (kind === "date") return dateText(value);
    return this.plain(value, packed).replace("-", "−");
  }

  // As it is packed, with which files are written, too.
  plain(value, packed) {
    if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
    if (packed.type[0] === "u") return value.toFixed(packed.digits);
    return String(Number(value.toPrecision(packed.digits)));
  }

  sentence(i) {
    return this.keysOf(i).map((key) => `${this.label(key)} ${this.text(key, i)}`).join(", ");
  }

  // Columns of a prediction, which table and tooltip show; the part of the data where others than test samples are shown.
  get shownKeys() {
    const isPlain = this.shownSplits.join() === "test";
    return this.keys.filter((key) => this.columns.get(key).group === "prediction" && !(key === "split" && isPlain));
  }

  // Those that are known of a sample.
  keysOf(i) {
    return this.shownKeys.filter((key) => !Number.isNaN(this.values(key)[i]));
  }

  // The most probable classes of a sample with their probabilities: those recorded, else what its columns say.
  probable(i) {
    const k = this.place[i];
    const own = this.classes.map((ranked, rank) => [ranked[k], this.shares[rank][k]]);
    if (own.length && k < this.classes[0].length) return own.filter(([, share]) => share > 0);
    if (!this.columns.has("confidence") || Number.isNaN(this.values("confidence")[i])) return [];
    const known = [[this.values("y_pred")[i], this.values("confidence")[i]]];
    const loss = this.columns.has("surprise") ? this.values("surprise")[i] : NaN;
    if (this.wrong[i] && !Number.isNaN(loss)) known.push([this.values("y_true")[i], Math.exp(-loss)]);
    return known;
  }

  neighbors(i) {
    const k = this.place[i];
    const nearest = this.nearest.length && k < this.nearest[0].length ? this.nearest.map((ranked) => ranked[k]) : [];
    return nearest.filter((one) => !Number.isNaN(one));
  }

  // The kinds of issue of a sample, as they are called.
  issuesOf(i) {
    const number = this.values("index")[i];
    return [...this.issues.values()].filter((one) => one.numbers.has(number)).map((one) => one.label);
  }

  // Numbers of the samples that a sample repeats, and of those that repeat it.
  repeated(i) {
    const number = this.values("index")[i];
    const found = new Set();
    for (const { pairs } of this.issues.values()) {
      for (const [one, other] of pairs) {
        if (one === number) found.add(other);
        else if (other === number) found.add(one);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  // Whether samples are shown by an image or a text.
  get areShown() {
    return Boolean(this.data.atlas) || this.texts.length > 0;
  }

  hasImage(i) {
    return Boolean(this.data.atlas) && this.place[i] < this.data.atlas.count;
  }

  // The text of a sample, or part of a picture, which is the background of a span; null where there is none.
  thumbnail(i, most, widest = 2 * most) {
    if (this.place[i] < this.texts.length) return make("q", this.texts[this.place[i]], { class: "sample-text" });
    if (!this.hasImage(i)) return null;
    const { atlas } = this.data;
    const k = this.place[i];
    const scale = Math.min(most / atlas.height, widest / atlas.width);
    const [width, height] = [atlas.width, atlas.height].map((side) => Math.max(1, Math.round(side * scale)));
    const [sheet, within] = [Math.floor(k / 256), k % 256];
    const rows = Math.ceil(Math.min(256, atlas.count - sheet * 256) / 16);
    const label = `image of ${this.nameOf(i)}`;
    const image = make("span", undefined, { class: `thumb sheet-${sheet}`, role: "img", "aria-label": label });
    Object.assign(image.style, {
      width: `${width}px`,
      height: `${height}px`,
      backgroundSize: `${16 * width}px ${rows * height}px`,
      backgroundPosition: `${-(within % 16) * width}px ${-Math.floor(within / 16) * height}px`,
    });
    return image;
  }
}

function dateText(days) {
  const text = new Date(days * 86400000).toISOString();
  return days % 1 ? text.slice(0, 19).replace("T", " ") : text.slice(0, 10);
}

// Returns by kind what samples with an issue are called, their `numbers`, those by part, and `pairs` of samples that are
// the same or nearly so.
async function unpackedIssues(kinds) {
  const found = new Map();
  for (const [kind, [label, packed]] of Object.entries(kinds)) {
    const issue = { label, numbers: new Set(), bySplit: {}, pairs: [] };
    for (const [split, columns] of Object.entries(packed)) {
      const [numbers, others] = await unpackedAll(columns);
      issue.bySplit[split] = new Set(numbers);
      numbers.forEach((number, k) => {
        issue.numbers.add(number);
        if (!Number.isNaN(others[k])) issue.pairs.push([number, others[k]]);
      });
    }
    found.set(kind, issue);
  }
  return found;
}
