// The listed samples a page at a time, with buttons below.
class Pages {
  constructor(figure, size, show) {
    Object.assign(this, { size, show, page: 0, listed: [] });
    const bar = figure.querySelector(".pager");
    this.previous = make("button", "Previous", { type: "button" });
    this.next = make("button", "Next", { type: "button" });
    this.text = make("span");
    this.previous.addEventListener("click", () => this.turn(this.page - 1));
    this.next.addEventListener("click", () => this.turn(this.page + 1));
    bar.append(this.previous, this.text, this.next);
  }

  get last() {
    return Math.max(0, Math.ceil(this.listed.length / this.size) - 1);
  }

  // Shows other samples from the first on.
  list(listed) {
    this.listed = listed;
    this.turn(0);
  }

  turn(page) {
    this.page = Math.max(0, Math.min(page, this.last));
    this.text.textContent = `page ${this.page + 1} of ${this.last + 1}, ${this.listed.length} ${this.listed.length === 1 ? "sample" : "samples"}`;
    this.previous.disabled = this.page === 0;
    this.next.disabled = this.page === this.last;
    this.show(this.listed.slice(this.page * this.size, (this.page + 1) * this.size));
  }
}
