// Draws samples: as markers, or where they are too many to tell apart, as cells that are darker where more samples are.
const SPRITES = new Map();
const CELL = 4; // pixels

function drawMarkers(context, plot, indices, looks, radii, strength) {
  const scale = plot.scale;
  for (const i of indices) {
    const radius = radii ? radii[i] : USUAL;
    const sprite = spriteOf(looks.palette[looks.color[i]], looks.shape[i], radius, strength, scale);
    const side = sprite.width / scale;
    context.drawImage(sprite, plot.px[i] - side / 2, plot.py[i] - side / 2, side, side);
  }
}

const STRENGTHS = { usual: [0.55, 0.95], faded: [0.07, 0.15], strong: [0.9, 1] }; // opacity of area and outline

function spriteOf(color, shape, radius, strength, scale) {
  const key = `${color} ${shape} ${radius} ${strength} ${scale}`;
  if (!SPRITES.has(key)) SPRITES.set(key, drawnSprite(color, shape, radius, STRENGTHS[strength], scale));
  return SPRITES.get(key);
}

function drawnSprite(color, shape, radius, [area, outline], scale) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil((2 * radius + 4) * scale);
  const context = canvas.getContext("2d");
  const zoom = (2 * radius * scale) / 11;
  context.translate(canvas.width / 2 - 6 * zoom, canvas.height / 2 - 6 * zoom);
  context.scale(zoom, zoom);
  const path = new Path2D(MARKERS[SHAPES[shape]]);
  context.fillStyle = context.strokeStyle = color;
  context.lineWidth = 1.2;
  context.globalAlpha = area;
  context.fill(path);
  context.globalAlpha = outline;
  context.stroke(path);
  return canvas;
}

// Cells of the samples at `indices`; in one `gray` where that is given.
function drawDensity(context, plot, indices, looks, gray) {
  const { left, top, right, bottom } = plot.inner;
  const [columns, rows] = [Math.ceil((right - left) / CELL), Math.ceil((bottom - top) / CELL)];
  const cells = countCells(plot, indices, looks, columns, rows);
  const palette = gray ? null : looks.palette.map(rgbOf);
  const image = new ImageData(columns, rows);
  const most = Math.log1p(cells.count.reduce((a, b) => Math.max(a, b), 0));
  for (let cell = 0; cell < cells.count.length; cell++) {
    if (!cells.count[cell]) continue;
    const share = Math.log1p(cells.count[cell]) / most;
    const [r, g, b] = gray || cellColor(cells, cell, looks, palette);
    image.data.set([r, g, b, 255 * (gray ? 0.06 + 0.2 * share : 0.3 + 0.7 * share)], cell * 4);
  }
  const small = document.createElement("canvas");
  [small.width, small.height] = [columns, rows];
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, left, top, columns * CELL, rows * CELL);
}

// Of colors that blend a cell has the mean, of others the most frequent one (Boyer and Moore's vote).
function countCells(plot, indices, looks, columns, rows) {
  const { left, top } = plot.inner;
  const [count, sum, votes] = [1, 2, 3].map(() => new Int32Array(columns * rows));
  for (const i of indices) {
    const cell = Math.floor((plot.py[i] - top) / CELL) * columns + Math.floor((plot.px[i] - left) / CELL);
    count[cell] += 1;
    if (looks.blend) sum[cell] += looks.color[i];
    else if (votes[cell] === 0) [sum[cell], votes[cell]] = [looks.color[i], 1];
    else votes[cell] += sum[cell] === looks.color[i] ? 1 : -1;
  }
  return { count, sum };
}

function cellColor({ count, sum }, cell, looks, palette) {
  if (!looks.blend) return palette[sum[cell]];
  const mean = sum[cell] / count[cell];
  const low = Math.floor(mean);
  const high = Math.min(low + 1, palette.length - 1);
  return palette[low].map((part, k) => part + (palette[high][k] - part) * (mean - low));
}

const rgbOf = (color) => [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16));
