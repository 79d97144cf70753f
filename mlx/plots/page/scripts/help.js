// The panel that says what the keys do.
const KEYS = [
  ["Tab", "to the next plot, matrix, list or button"],
  ["Arrow keys", "in a plot, to the next sample along the horizontal axis; in the matrix and the gallery, to the next cell or image"],
  ["Home, End, Page Up, Page Down", "in a plot, to the first, the last, 20 back, 20 on"],
  ["Enter", "in a plot, adds the sample to the selection or takes it out; elsewhere, presses the button"],
  ["Space", "in a plot, opens the sample"],
  ["+ − 0", "in a plot, zooms in and out and shows all; in an open sample, changes the size of its image"],
  ["← →", "in an open sample, to the one before and after it"],
  ["Escape", "closes what is open, or else clears the selection"],
  ["/", "to the search"],
  ["?", "opens this panel"],
];
const NOTES = [
  "With the mouse: drag in a plot to select (Box, Lasso) or to move, click a point to pick it, double-click to show all, turn the wheel with Ctrl to zoom. Without a mouse, ranges of both columns of a plot select what a box does.",
  "Split chooses the parts of the data that are shown, where others than the test part were recorded. Links from the page show the test samples, and those of other parts that they name; the figures, the matrix and all counts of the page are of the test samples.",
  "Filters combine: a sample has to meet all. Each is a chip that can be removed, and stands in the address, so that a link or a bookmark restores it and Back undoes it.",
  "Numbers are kept in at least four digits of the range of their column, which plots, table and CSV show alike; samples.parquet beside this page has them in full.",
];

function addHelp() {
  const dialog = byId("help");
  const keys = make("dl");
  for (const [key, text] of KEYS) keys.append(make("dt", key), make("dd", text));
  const close = make("button", "Close", { type: "button" });
  close.addEventListener("click", () => dialog.close());
  dialog.append(make("h3", "Keys and help", { id: "help-title" }), keys, ...NOTES.map((text) => make("p", text)), close);
  for (const button of document.querySelectorAll("[data-help]")) button.addEventListener("click", () => dialog.showModal());
}
