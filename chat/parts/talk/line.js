/**
 * One line of the transcript as an element. Whatever a customer, an agent or a pack wrote becomes a text node.
 *
 * @typedef {"customer" | "assistant" | "agent" | "system" | "stopped" | "day"} Kind
 * @typedef {object} Line
 * @property {string} key stays the same from the first letter of a reply to its end
 * @property {Kind} kind
 * @property {string} text
 * @property {string | null} [id] the message's id, null while the reply is being written
 * @property {string | null} [turn]
 * @property {string | null} [at] ISO 8601
 * @property {string | null} [by] the agent's name
 * @property {"up" | "down" | null} [vote]
 * @property {string[]} [quick_replies]
 * @property {boolean} [live] still being written
 * @property {boolean} [first] @property {boolean} [last] of a run of lines by the same speaker
 */

/** @param {string} tag @param {string} name @param {string} [text] */
export function make(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** @param {string} name @param {string} text @param {string} act */
export function button(name, text, act) {
  const node = make("button", name, text);
  node.type = "button";
  node.dataset.act = act;
  return node;
}

/** @param {Line} line @returns {HTMLLIElement} */
export function lineElement(line) {
  const item = make("li", `line ${line.kind}`);
  item.dataset.key = line.key;
  item.append(make("p", "by"), make("div", "bubble"), make("div", "foot"));
  item.children[1].dir = "auto";
  return item;
}

/** Bring an element up to date. @param {HTMLLIElement} item @param {Line} line @param {import("./texts.js").Texts} texts */
export function showLine(item, line, texts) {
  item.classList.toggle("first", Boolean(line.first));
  item.classList.toggle("last", Boolean(line.last));
  item.classList.toggle("live", Boolean(line.live));
  const [by, bubble, foot] = item.children;
  by.textContent = speaker(line, texts);
  showText(bubble, line, texts);
  showFoot(foot, line, texts);
}

/** @param {Line} line @param {import("./texts.js").Texts} texts */
function speaker(line, texts) {
  if (line.kind === "agent") return line.by || texts.say("agent");
  return { assistant: texts.say("assistant"), customer: texts.say("you") }[line.kind] ?? "";
}

/** @param {Element} bubble @param {Line} line @param {import("./texts.js").Texts} texts */
function showText(bubble, line, texts) {
  if (line.live && !line.text) {
    if (!bubble.querySelector(".dots")) bubble.replaceChildren(dots(texts));
    return;
  }
  const waited = bubble.querySelector(".dots");
  const shown = waited ? "" : bubble.textContent;
  if (shown === line.text) return;
  if (!waited && !line.text.startsWith(shown)) bubble.textContent = line.text;
  else if (line.live || shown || waited) grow(bubble, shown, line.text, waited);
  else bubble.textContent = line.text;
}

/** New words fade in behind those that are already there. */
function grow(bubble, shown, text, waited) {
  waited?.remove();
  bubble.append(make("span", "new", text.slice(shown.length)));
}

/** @param {import("./texts.js").Texts} texts */
function dots(texts) {
  const node = make("span", "dots");
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", texts.say("thinking"));
  node.append(make("i", ""), make("i", ""), make("i", ""));
  return node;
}

/** @param {Element} foot @param {Line} line @param {import("./texts.js").Texts} texts */
function showFoot(foot, line, texts) {
  const time = line.at ? texts.time(new Date(line.at)) : "";
  const state = [time, line.vote, line.live, texts.locale].join(" ");
  if (foot.dataset.state === state) return;
  foot.dataset.state = state;
  const parts = line.kind === "assistant" && line.id ? [votes(line, texts)] : [];
  if (line.at) parts.unshift(clock(line.at, time));
  foot.replaceChildren(...parts);
}

/** @param {string} at @param {string} time */
function clock(at, time) {
  const node = make("time", "", time);
  node.dateTime = at;
  node.title = new Date(at).toLocaleString(document.documentElement.lang);
  return node;
}

const THUMB = "M6 9l3.2-5.8c1.3 0 2.1 1 1.9 2.2L10.7 8h3.9c1 0 1.7 1 1.4 1.9l-1.5 5c-.2.7-.8 1.1-1.5 1.1H6M6 9H3.5v7H6z";

/** @param {Line} line @param {import("./texts.js").Texts} texts */
function votes(line, texts) {
  const group = make("span", "votes");
  for (const [value, label] of [["up", "helpful"], ["down", "not_helpful"]]) {
    const node = button(`vote ${value}`, "", "vote");
    Object.assign(node.dataset, { value, message: line.id });
    node.title = texts.say(label);
    node.setAttribute("aria-label", texts.say(label));
    node.setAttribute("aria-pressed", String(line.vote === value));
    node.append(icon(THUMB));
    group.append(node);
  }
  return group;
}

/** @param {string} path */
function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}
