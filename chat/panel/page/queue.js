/**
 * The conversations of one tab, kept up to date by what the server pushes.
 *
 * @typedef {object} Queued
 * @property {string} id @property {string} site @property {"bot" | "waiting" | "agent" | "closed"} state
 * @property {string | null} agent @property {string | null} demand @property {string | null} sentiment
 * @property {string | null} last_words @property {string | null} contact @property {string | null} waiting_since
 * @property {string} created_at @property {string} updated_at
 *
 * @typedef {"waiting" | "bot" | "mine" | "others" | "closed"} Tab
 */

const PAGE = 100;
const SEARCH_PAUSE_MS = 300;

export const TABS = /** @type {const} */ ({
  waiting: { label: "Waiting", about: "Waiting for an agent", query: { state: "waiting" } },
  bot: { label: "Bot", about: "With the bot", query: { state: "bot" } },
  mine: { label: "Mine", about: "With me", query: { state: "agent", mine: true } },
  others: { label: "Others", about: "With colleagues", query: { state: "agent", mine: false } },
  closed: { label: "Closed", about: "Closed", query: { state: "closed" } },
});

/** Tells `change` whenever it has to be shown anew, `alert` when somebody waits who did not before. */
export class Queue extends EventTarget {
  /** @param {import("./api.js").Api} api @param {{name: string, sites: string[] | null}} me */
  constructor(api, me) {
    super();
    Object.assign(this, { api, me, tab: "waiting", rows: new Map(), more: null, filters: {}, state: "loading" });
    this.known = { waiting: new Map(), mine: new Map() };
    this.sites = new Set(me.sites ?? []);
  }

  get waiting() {
    return this.known.waiting.size;
  }

  /** @returns {Queued[]} who waits longest first, else whoever was heard of last */
  get sorted() {
    const rows = [...this.rows.values()];
    if (this.tab === "waiting") return rows.sort((a, b) => (a.waiting_since ?? "").localeCompare(b.waiting_since ?? ""));
    return rows.sort((a, b) => b.updated_at.localeCompare(a.updated_at));
  }

  /** @param {Tab} tab */
  show(tab) {
    this.tab = tab;
    this.rows.clear();
    return this.load();
  }

  /** @param {Record<string, string>} filters site, sentiment, demand, q */
  filter(filters) {
    this.filters = filters;
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.load(), SEARCH_PAUSE_MS);
  }

  /** Read the tab anew, and who waits and who is with me, whatever the tab. */
  async load() {
    const asked = (this.asking = Symbol("load"));
    try {
      const [page, waiting, mine] = await Promise.all([this.#page(), this.#all("waiting"), this.#all("mine")]);
      if (asked !== this.asking) return;
      this.rows = byId(page.data);
      this.more = page.next;
      this.known = { waiting: byId(waiting.data), mine: byId(mine.data) };
      this.state = "ready";
      this.#learnSites([...page.data, ...waiting.data, ...mine.data]);
    } catch (problem) {
      if (asked !== this.asking) return;
      this.state = problem.message;
    }
    this.#changed();
  }

  async loadMore() {
    const page = await this.#page(this.more);
    for (const row of page.data) this.rows.set(row.id, row);
    this.more = page.next;
    this.#changed();
  }

  /** What the server pushes. @param {string} kind @param {Queued} row */
  hear(kind, row) {
    if (kind === "conversation.deleted") this.#forget(row.id);
    else if (kind === "conversation") this.#learn(row);
    else return;
    this.#changed();
  }

  #forget(id) {
    this.rows.delete(id);
    this.known.waiting.delete(id);
    this.known.mine.delete(id);
  }

  #learn(row) {
    const isMine = row.state === "agent" && row.agent === this.me.name;
    const before = this.known.mine.get(row.id);
    const isNew = row.state === "waiting" && !this.known.waiting.has(row.id);
    const isHeard = isMine && before && before.last_words !== row.last_words;
    this.known.waiting.delete(row.id);
    this.known.mine.delete(row.id);
    if (row.state === "waiting") this.known.waiting.set(row.id, row);
    if (isMine) this.known.mine.set(row.id, row);
    if (this.#belongs(row, isMine)) this.rows.set(row.id, row);
    else this.rows.delete(row.id);
    this.#learnSites([row]);
    if (isNew || isHeard) this.dispatchEvent(new Event("alert"));
  }

  /** @param {Queued} row @param {boolean} isMine */
  #belongs(row, isMine) {
    const { state, mine } = TABS[this.tab].query;
    const { site, sentiment, demand, q } = this.filters;
    if (row.state !== state || (mine !== undefined && mine !== isMine)) return false;
    if ((site && row.site !== site) || (sentiment && row.sentiment !== sentiment)) return false;
    if (demand && !(row.demand ?? "").toLowerCase().includes(demand.toLowerCase())) return false;
    // Whether the words stand in the transcript only the server knows; what is listed already has them.
    return !q || this.rows.has(row.id) || `${row.demand} ${row.last_words}`.toLowerCase().includes(q.toLowerCase());
  }

  #page(after) {
    return this.api.get(`agent/conversations?${query({ ...TABS[this.tab].query, ...this.filters, limit: PAGE, after })}`);
  }

  #all(tab) {
    return this.api.get(`agent/conversations?${query({ ...TABS[tab].query, limit: 200 })}`);
  }

  #learnSites(rows) {
    for (const row of rows) this.sites.add(row.site);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function byId(rows) {
  return new Map(rows.map((row) => [row.id, row]));
}

function query(values) {
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== ""));
}
