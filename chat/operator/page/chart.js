/** Drawings of slots of time as SVG: a frame with scale and axis, bars or lines in it. Nothing here parses markup. */

const HEIGHT = 200;
const LEFT = 48;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 24;
const LABEL_PX = 46;

/** @param {string} tag @param {Record<string, any>} options attributes @param {...(Node | string)} children */
export function draw(tag, options, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(options)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * @param {object} asked `slots` all of the period, `known` those that have begun, `top` the largest value, `names` for
 *   the axis, `onPoint` hears of the slot under the pointer, null for none
 */
export function frame({ width, label, draw: paint, slots, known, top, isWhole, steps, names, onPoint }) {
  const scale = ticks(top, isWhole);
  const step = (width - LEFT - RIGHT) / slots.length;
  const x = (index) => LEFT + step * (index + 0.5);
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / scale.at(-1);
  const grid = scale.flatMap((value) => [
    draw("line", { class: value ? "grid" : "axis", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    draw("text", { class: "tick", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, steps(value)),
  ]);
  const every = [1, 2, 3, 6, 12].find((each) => each * step >= LABEL_PX) ?? 24;
  const axis = names.flatMap((name, index) =>
    (index % every === 0 ? [draw("text", { class: "tick", x: x(index), y: HEIGHT - 6, "text-anchor": "middle" }, name)] : []));
  const cursor = draw("rect", { class: "cursor", y: TOP, width: step, height: HEIGHT - TOP - BOTTOM, rx: 4, visibility: "hidden" });
  const picture = draw("svg", { class: "chart", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label });
  picture.append(cursor, ...grid, ...axis, ...paint(known, x, y, step));
  const point = (event) => {
    const index = Math.floor((event.clientX - picture.getBoundingClientRect().left - LEFT) / step);
    const slot = known[index];
    cursor.setAttribute("visibility", slot ? "visible" : "hidden");
    if (slot) cursor.setAttribute("x", String(LEFT + step * index));
    onPoint(slot ?? null);
  };
  picture.addEventListener("pointermove", point);
  picture.addEventListener("pointerdown", point);
  picture.addEventListener("pointerleave", () => (cursor.setAttribute("visibility", "hidden"), onPoint(null)));
  return picture;
}

/** Conversations: what the bot had alone above what was handed off. */
export function bars(slots, x, y, step) {
  const width = Math.max(2, Math.min(28, step * 0.68));
  const bar = (name, index, from, to) =>
    draw("rect", { class: name, x: x(index) - width / 2, width, y: y(to), height: Math.max(0, y(from) - y(to)), rx: Math.min(2, width / 4) });
  return slots.flatMap(({ conversations, handed_off: handed }, index) => [
    ...(handed ? [bar("human", index, 0, handed)] : []),
    ...(conversations > handed ? [bar("bot", index, handed, conversations)] : []),
  ]);
}

/** First text: the median as a line, p95 as a broken one, what lies between them shaded. Gaps stay gaps. */
export function lines(slots, x, y) {
  const points = slots.map(({ first_text: first }, index) => first && { at: x(index), median: y(first.median_ms), p95: y(first.p95_ms) });
  return runs(points).flatMap((run) => {
    const along = (name) => run.map((point) => `${point.at},${point[name]}`);
    const area = draw("polygon", { class: "between", points: [...along("p95"), ...along("median").reverse()].join(" ") });
    const line = (name) => draw("polyline", { class: `line-of ${name}`, points: along(name).join(" ") });
    const dots = run.map((point) => draw("circle", { class: "median", cx: point.at, cy: point.median, r: 3 }));
    const tops = run.map((point) => draw("circle", { class: "p95", cx: point.at, cy: point.p95, r: 2 }));
    return [area, line("p95"), line("median"), ...tops, ...dots];
  });
}

function runs(points) {
  const found = [[]];
  for (const point of points) {
    if (point) found.at(-1).push(point);
    else found.push([]);
  }
  return found.filter((run) => run.length);
}

/** Round values from 0 to at least the top, three to five of them. @param {number} top @param {boolean} [isWhole] */
export function ticks(top, isWhole = false) {
  const rough = top / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough - 1e-9 && (!isWhole || Number.isInteger(each))) ?? 1;
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_, index) => index * step);
}
