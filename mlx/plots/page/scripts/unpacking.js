// Columns of numbers, as packing.py packs them: base64 of deflated bytes, the lowest byte of each number first.
async function inflated(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = binary.charCodeAt(k);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Returns numbers as Float64Array, of which NaN is missing.
async function unpacked(packed) {
  const size = Number(packed.type[1]);
  const numbers = joined(await inflated(packed.data), packed.type, size);
  if (packed.type[0] === "f") return Float64Array.from(numbers);
  const last = 2 ** (8 * size) - 1;
  const codes = new Map([[last, NaN], [last - 1, Infinity], [last - 2, -Infinity]]);
  const scale = 10 ** packed.digits;
  const values = new Float64Array(numbers.length);
  for (let k = 0; k < values.length; k++) {
    values[k] = numbers[k] > last - 3 ? codes.get(numbers[k]) : (numbers[k] + packed.low) / scale;
  }
  return values;
}

function joined(planes, type, size) {
  const n = planes.length / size;
  const bytes = new Uint8Array(planes.length);
  for (let byte = 0; byte < size; byte++) {
    for (let k = 0; k < n; k++) bytes[k * size + byte] = planes[byte * n + k];
  }
  const kinds = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };
  return new kinds[type](bytes.buffer);
}

async function unpackedText(packed) {
  return JSON.parse(new TextDecoder().decode(await inflated(packed)));
}

const unpackedAll = (columns) => Promise.all(columns.map(unpacked));
