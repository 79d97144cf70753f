// The images of the selected samples, in the order of the table; arrow keys move from one to the next.
const PAGE_IMAGES = 24;
const MOST_IN_CAPTION = 20; // characters of a name
const SIZES = [["64", "small"], ["112", "medium"], ["176", "large"]];

class Gallery {
  constructor(samples, selection, open) {
    Object.assign(this, { samples, selection, open, height: 112 });
    this.list = byId("gallery");
    if (!this.list) return;
    this.pages = new Pages(byId("view-gallery"), PAGE_IMAGES, (shown) => this.show(shown));
    const size = chooser("Images", SIZES, "112");
    size.addEventListener("change", (event) => {
      this.height = Number(event.target.value);
      this.pages.turn(this.pages.page);
    });
    byId("view-gallery").querySelector(".controls").append(size);
    this.list.addEventListener("keydown", (event) => this.walk(event));
  }

  refresh() {
    this.pages?.list(this.selection.listed);
  }

  show(shown) {
    const items = Array.from(shown, (i, k) => this.item(i, k));
    this.list.replaceChildren(...items);
    const { atlas } = this.samples.data;
    this.list.style.setProperty("--tile", `${Math.max(96, this.height * (atlas ? Math.min(2, atlas.width / atlas.height) : 2))}px`);
  }

  item(i, k) {
    const item = make("li");
    const button = make("button", undefined, { type: "button", tabindex: k ? "-1" : "0" });
    button.append(this.samples.thumbnail(i, this.height) || missingImage(this.samples, i, this.height), caption(this.samples, i));
    button.addEventListener("click", () => this.open(i));
    item.append(button);
    return item;
  }

  walk(event) {
    const buttons = [...this.list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const perRow = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow, ArrowUp: -perRow, Home: -at, End: buttons.length - 1 - at }[event.key];
    const next = buttons[at + step];
    if (step === undefined || at < 0) return;
    event.preventDefault();
    if (!next) return;
    buttons[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

function missingImage(samples, i, height) {
  const box = make("span", `${samples.nameOf(i)}: no image on this page`, { class: "missing" });
  box.style.height = `${height}px`;
  return box;
}

// What a sample is, and what it was taken for.
function caption(samples, i) {
  const box = make("span", undefined, { class: "caption" });
  const texts = ["y_true", "y_pred"].map((key) => samples.text(key, i));
  const [actual, predicted] = texts.map((text) => (text.length > MOST_IN_CAPTION ? `${text.slice(0, MOST_IN_CAPTION - 1)}…` : text));
  box.title = texts.join(" → ");
  if (samples.splitOf(i) !== "test") box.append(`${samples.splitOf(i)}: `);
  if (!samples.classification) box.append(`${actual}, predicted ${predicted}`);
  else if (samples.wrong[i]) box.append(`${actual} → `, make("b", predicted));
  else box.append(actual);
  return box;
}
