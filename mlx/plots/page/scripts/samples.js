// The samples of the page: their numbers, how each number is written, and their images.
class Samples {
  // `data` is the JSON of the page.
  static async read(data) {
    const samples = new Samples();
    const values = await Promise.all(data.columns.map(({ packed }) => unpacked(packed)));
    const [order, classes, shares, nearest, texts] = await Promise.all([
      unpacked(data.order), unpackedAll(data.probable.classes), unpackedAll(data.probable.shares), unpackedAll(data.nearest),
      data.texts ? unpackedText(data.texts) : [],
    ]);
    Object.assign(samples, { data, classes, shares, nearest, texts, classification: data.task === "classification" });
    samples.columns = new Map(data.columns.map((column, k) => [column.key, { ...column, values: values[k] }]));
    samples.n = values[0].length;
    samples.place = new Uint32Array(samples.n).fill(samples.n); // of each sample among those that are looked at first
    order.forEach((i, k) => { samples.place[i] = k; });
    samples.setWrong();
    return samples;
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
    return this.shownKeys().map((key) => `${this.label(key)} ${this.text(key, i)}`).join(", ");
  }

  // Columns of a prediction, which table and tooltip show.
  shownKeys() {
    return this.keys.filter((key) => this.columns.get(key).group === "prediction");
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
    return this.nearest.length && k < this.nearest[0].length ? this.nearest.map((ranked) => ranked[k]) : [];
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
    const label = `image of sample ${this.text("index", i)}`;
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
