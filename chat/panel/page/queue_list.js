/** The queue as it is seen: tabs, filters, one row a conversation. */

import { button, make } from "./element.js";
import { SENTIMENTS, sentimentMark } from "./sentiment.js";
import { TABS } from "./queue.js";
import { ago } from "./time.js";

export class QueueList {
  /** @param {import("./queue.js").Queue} queue @param {(id: string, focus?: boolean) => void} onOpen */
  constructor(queue, onOpen) {
    this.queue = queue;
    this.onOpen = onOpen;
    this.nodes = new Map();
    this.list = make("ul", { class: "rows", "aria-label": "Conversations" });
    this.note = make("p", { class: "soft note", role: "status" });
    this.more = button("Older ones", () => queue.loadMore(), { class: "pill", hidden: true });
    this.element = make("nav", { class: "queue", "aria-label": "Queue" }, this.#tabs(), this.#filters(), this.#scroll());
    queue.addEventListener("change", () => this.show());
    setInterval(() => this.show(), 30_000);
    this.show();
  }

  show() {
    const { queue } = this;
    for (const [tab, node] of Object.entries(this.tabs)) this.#showTab(tab, node);
    const rows = queue.sorted;
    for (const id of this.nodes.keys()) if (!queue.rows.has(id)) this.#drop(id);
    rows.forEach((row, at) => this.#place(row, at));
    this.more.hidden = !queue.more;
    this.#say(rows.length);
    this.#showSites();
  }

  /** @param {string | null} id */
  select(id) {
    this.selected = id;
    for (const [key, node] of this.nodes) mark(node.firstChild, key === id);
  }

  focus() {
    (this.nodes.get(this.last)?.firstChild ?? this.list.querySelector("a") ?? this.tabs[this.queue.tab]).focus();
  }

  /** @param {number} step */
  move(step) {
    const links = [...this.list.querySelectorAll("a")];
    if (links.length === 0) return;
    const here = links.findIndex((link) => link === document.activeElement || link.hasAttribute("aria-current"));
    const next = links[Math.min(Math.max(here + step, 0), links.length - 1)];
    next.focus();
    this.onOpen(next.dataset.id, false);
  }

  openFirst() {
    const first = this.list.querySelector("a");
    if (first) this.onOpen(first.dataset.id);
  }

  /** @param {number} step */
  turn(step) {
    const tabs = Object.keys(TABS);
    this.#choose(tabs[(tabs.indexOf(this.queue.tab) + step + tabs.length) % tabs.length]);
  }

  #choose(tab) {
    this.queue.show(tab);
    this.show();
    this.tabs[tab].focus();
  }

  #tabs() {
    this.tabs = {};
    const bar = make("div", { class: "tabs", role: "group", "aria-label": "Whose" });
    for (const [tab, { label, about }] of Object.entries(TABS)) {
      this.tabs[tab] = button(label, () => this.#choose(tab), { class: "tab", data: { tab }, title: about });
      bar.append(this.tabs[tab]);
    }
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) this.turn(step);
    });
    return bar;
  }

  #showTab(tab, node) {
    const count = { waiting: this.queue.known.waiting.size, mine: this.queue.known.mine.size }[tab] ?? 0;
    node.setAttribute("aria-pressed", String(tab === this.queue.tab));
    const label = TABS[tab].label;
    if (node.dataset.count === String(count)) return;
    node.dataset.count = String(count);
    node.replaceChildren(label, count > 0 && make("span", { class: "count" }, ` ${count}`) || "");
  }

  #filters() {
    this.search = make("input", { type: "search", placeholder: "Search", "aria-label": "Search conversations", maxLength: 200 });
    this.demand = make("input", { type: "search", placeholder: "Demand", "aria-label": "Filter by demand", maxLength: 200 });
    this.site = make("select", { "aria-label": "Filter by site" }, make("option", { value: "" }, "Site"));
    this.sentiment = make("select", { "aria-label": "Filter by sentiment" }, make("option", { value: "" }, "Mood"));
    for (const mood of SENTIMENTS) this.sentiment.append(make("option", { value: mood }, mood));
    const read = () =>
      this.queue.filter({ q: this.search.value.trim(), demand: this.demand.value.trim(), site: this.site.value, sentiment: this.sentiment.value });
    const form = make("form", { class: "filters", role: "search", on: { input: read, submit: (event) => event.preventDefault() } });
    form.append(this.search, this.site, this.sentiment, this.demand);
    return form;
  }

  #scroll() {
    return make("div", { class: "scroll", tabIndex: -1 }, this.note, this.list, this.more);
  }

  #showSites() {
    for (const site of [...this.queue.sites].sort()) {
      if (![...this.site.options].some((option) => option.value === site)) this.site.append(make("option", { value: site }, site));
    }
  }

  #say(count) {
    const searching = Object.values(this.queue.filters).some(Boolean);
    const empty = searching ? "Nothing fits." : { waiting: "Nobody is waiting.", mine: "You have none." }[this.queue.tab] ?? "None.";
    const words = { loading: "Loading…", ready: count ? "" : empty }[this.queue.state] ?? this.queue.state;
    if (this.note.textContent !== words) this.note.textContent = words;
    this.note.hidden = !words;
  }

  #drop(id) {
    this.nodes.get(id).remove();
    this.nodes.delete(id);
  }

  /** Make or renew a row and put it where it belongs, without taking it out when it is there: it may have the focus. */
  #place(row, at) {
    const written = JSON.stringify([row, ago(row.waiting_since ?? row.updated_at)]);
    let node = this.nodes.get(row.id);
    if (!node) {
      const open = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.last = row.id;
        this.onOpen(row.id);
      };
      node = make("li", {}, make("a", { class: "row", data: { id: row.id }, href: `?conversation=${encodeURIComponent(row.id)}`, on: { click: open } }));
      this.nodes.set(row.id, node);
    }
    if (node.dataset.written !== written) {
      node.dataset.written = written;
      node.firstChild.replaceChildren(...rowParts(row));
      mark(node.firstChild, row.id === this.selected);
    }
    if (this.list.children[at] !== node) this.list.insertBefore(node, this.list.children[at] ?? null);
  }
}

function mark(link, isOpen) {
  if (isOpen) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

/** @param {import("./queue.js").Queued} row */
function rowParts(row) {
  const since = row.state === "waiting" && row.waiting_since ? `waits ${ago(row.waiting_since)}` : ago(row.updated_at);
  const who = row.state === "agent" ? make("span", { class: "who", dir: "auto" }, row.agent) : null;
  return [
    make("span", { class: "row-top" }, sentimentMark(row.sentiment), make("span", { class: "want", dir: "auto" }, row.demand ?? row.last_words ?? "Nothing said yet")),
    row.demand && row.last_words ? make("span", { class: "words", dir: "auto" }, row.last_words) : "",
    make("span", { class: "row-foot" }, make("span", {}, row.site), who, row.contact && make("span", {}, "left a message"), make("time", { dateTime: row.updated_at }, since)),
  ].filter(Boolean);
}
