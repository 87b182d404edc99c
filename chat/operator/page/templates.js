/** Replies by template, what customers thought of them, and what agents made of suggestions by it. */

import { make } from "./element.js";
import { whole } from "./numbers.js";

const OUTCOMES = ["accepted", "edited", "rejected"];
const HEADS = ["Template", "Replies", "Thumbs", "Suggestions"];

export class Templates {
  constructor() {
    this.body = make("tbody", {});
    this.none = make("p", { class: "soft" }, "No reply and no suggestion yet.");
    const head = make("thead", {}, make("tr", {}, ...HEADS.map((name) => make("th", { scope: "col" }, name))));
    this.table = make("table", { class: "templates" }, make("caption", { class: "unseen" }, "Replies and suggestions by template"), head, this.body);
    this.element = make("section", { class: "card", "aria-labelledby": "templates-title" }, make("div", { class: "card-head" }, make("h2", { id: "templates-title" }, "Templates")), this.none, this.table);
  }

  show({ templates, sites }) {
    const most = Math.max(1, ...templates.map(({ replies }) => replies));
    const named = new Set(templates.map(({ site }) => site)).size > 1;
    const names = new Map(sites.map(({ key, name }) => [key, name]));
    this.none.hidden = templates.length > 0;
    this.table.hidden = templates.length === 0;
    this.body.replaceChildren(...templates.map((each) => row(each, most, named && (names.get(each.site) ?? each.site))));
  }
}

function row(each, most, site) {
  const name = make("th", { scope: "row" }, make("code", {}, ...broken(each.template)), site && make("span", { class: "soft", dir: "auto" }, site));
  const bar = each.replies > 0 && make("span", { class: "amount" });
  if (bar) bar.style.width = `${(100 * each.replies) / most}%`;
  return make("tr", {}, name, make("td", {}, whole(each.replies), bar || ""), make("td", {}, ...thumbs(each)), make("td", {}, ...suggestions(each)));
}

/** A name that may be broken behind its underscores. */
function broken(name) {
  return name.split(/(?<=_)/).flatMap((part, index) => (index ? [make("wbr"), part] : [part]));
}

function thumbs({ up, down }) {
  if (!up && !down) return [make("span", { class: "soft" }, "–", make("span", { class: "unseen" }, " none"))];
  return [make("span", { class: "thumbs" }, thumb("up", up), " ", thumb("down", down))];
}

function thumb(name, number) {
  return make("span", { class: `thumb ${name}` }, make("span", { "aria-hidden": "true" }, name === "up" ? "▲ " : "▼ "), whole(number), make("span", { class: "unseen" }, ` ${name}`));
}

function suggestions(each) {
  if (!each.suggested) return [make("span", { class: "soft" }, "–", make("span", { class: "unseen" }, " none"))];
  const decided = OUTCOMES.filter((name) => each[name]);
  const bar = make("span", { class: "outcomes", "aria-hidden": "true" }, ...decided.map((name) => make("span", { class: name })));
  decided.forEach((name, index) => (bar.children[index].style.flexGrow = String(each[name])));
  const open = each.suggested - each.accepted - each.edited - each.rejected;
  const words = [...decided.map((name) => `${whole(each[name])} ${name}`), ...(open ? [`${whole(open)} not used`] : [])];
  return [decided.length > 0 && bar, make("span", { class: "soft words" }, ...words.flatMap((each, index) => [index ? ", " : "", make("span", {}, each)]))].filter(Boolean);
}
