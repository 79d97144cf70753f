// The samples of the page: their numbers, how each number is written, and their images.
class Samples {
  constructor(data, source) {
    this.data = data;
    this.source = source;
    this.classification = data.task === "classification";
    this.all = Array.from(this.column(data.views[0].x), (_, i) => i);
    const isWrong = this.classification ? (i) => !this.column("correct")[i] : (i) => this.column("residual")[i] < 0;
    this.wrong = this.all.map(isWrong); // of a regression: predicted too high
  }

  column(name) {
    return this.source.data[name];
  }

  isClass(name) {
    return this.classification && (name === "y_true" || name === "y_pred");
  }

  isNumeric(name) {
    return name !== "index" && name !== "correct" && !this.isClass(name);
  }

  text(name, i) {
    const value = this.column(name)[i];
    if (this.isClass(name)) return this.data.classes[value];
    if (name === "correct") return value ? "correct" : "wrong";
    if (!Number.isFinite(value)) return "–";
    if (name === "index") return String(value);
    const digits = this.data.columns.find(([key]) => key === name)[3];
    const size = Math.abs(value);
    const inPowers = size !== 0 && (size < 10 ** -digits || size >= 1e6);
    return (inPowers ? value.toExponential(1) : value.toFixed(digits)).replace("-", "−");
  }

  sentence(i) {
    return this.data.columns.map(([name, label]) => `${label} ${this.text(name, i)}`).join(", ");
  }

  // One image of the atlas, which is the background of every thumbnail; null where there is none.
  thumbnail(i, height) {
    const { atlas } = this.data;
    if (!atlas || i >= atlas.count) return null;
    const width = Math.round((height * atlas.width) / atlas.height);
    const rows = Math.ceil(atlas.count / atlas.columns);
    const label = `image of sample ${this.text("index", i)}`;
    const image = make("span", undefined, { class: "thumb", role: "img", "aria-label": label });
    Object.assign(image.style, {
      width: `${width}px`,
      height: `${height}px`,
      backgroundSize: `${atlas.columns * width}px ${rows * height}px`,
      backgroundPosition: `${-(i % atlas.columns) * width}px ${-Math.floor(i / atlas.columns) * height}px`,
    });
    return image;
  }
}
