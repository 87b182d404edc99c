/** Elements as the pages of the staff make them. Whatever anybody wrote becomes a text node; nothing here parses markup. */

/**
 * @param {string} tag
 * @param {Record<string, any>} [options] `class`, `data` (data-*), `on` (listeners), else properties and attributes;
 *   null and false leave one out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function make(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) set(node, name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") node.className = value;
  else if (name === "data") Object.assign(node.dataset, value);
  else if (name === "on") for (const [kind, act] of Object.entries(value)) node.addEventListener(kind, act);
  else if (name in node && !name.includes("-")) node[name] = value;
  else node.setAttribute(name, value === true ? "" : value);
}

/** @param {string} text @param {() => void} act @param {Record<string, any>} [options] */
export function button(text, act, options = {}) {
  return make("button", { type: "button", on: { click: act }, ...options }, text);
}

/** A drawing of one path on 20 by 20. @param {string} path @param {string} [name] */
export function icon(path, name = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon ${name}`);
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}

/** A button that is only a drawing. @param {string} path @param {string} label @param {() => void} act */
export function iconButton(path, label, act, options = {}) {
  const node = button("", act, { class: "tool", title: label, "aria-label": label, ...options });
  node.append(icon(path));
  return node;
}
