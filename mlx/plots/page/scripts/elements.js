// Elements of the page. Texts from data are set as textContent, so that no class name becomes markup.
const byId = (id) => document.getElementById(id);

function make(tag, text, attributes = {}) {
  return setUp(document.createElement(tag), text, attributes);
}

function makeSvg(tag, attributes) {
  return setUp(document.createElementNS("http://www.w3.org/2000/svg", tag), undefined, attributes);
}

function setUp(element, text, attributes) {
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
