/**
 * What the browser keeps, under one key: the tokens of the visitor's conversations, the language and the colours.
 * Never a text: the transcript is the store's. Where storage is refused (private windows), the page's own memory serves.
 *
 * @typedef {{id: string, token: string}} Held
 * @typedef {{sites?: Record<string, Held[]>, locale?: string, theme?: "light" | "dark"}} Kept
 */

const KEY = "pindesk";
const MOST_CONVERSATIONS = 50;
let here = "{}";

/** @returns {Kept} */
function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? here) ?? {};
  } catch {
    return JSON.parse(here);
  }
}

/** @param {Partial<Kept>} change Read again before each write, because another tab may have written. */
function write(change) {
  here = JSON.stringify({ ...read(), ...change });
  try {
    localStorage.setItem(KEY, here);
  } catch {
    // Kept for the life of the page.
  }
}

export class Memory {
  /** @param {string} site the public key of the site whose conversations these are */
  constructor(site) {
    this.site = site;
  }

  /** @returns {Held[]} newest first */
  get conversations() {
    return read().sites?.[this.site] ?? [];
  }

  /** @param {string} id @returns {string | undefined} */
  token(id) {
    return this.conversations.find((held) => held.id === id)?.token;
  }

  /** @param {Held} held */
  remember(held) {
    this.#keep([held, ...this.conversations.filter(({ id }) => id !== held.id)].slice(0, MOST_CONVERSATIONS));
  }

  /** @param {string} gone */
  forget(gone) {
    this.#keep(this.conversations.filter(({ id }) => id !== gone));
  }

  /** @param {Held[]} held */
  #keep(held) {
    write({ sites: { ...read().sites, [this.site]: held } });
  }

  get locale() {
    return read().locale;
  }

  set locale(locale) {
    write({ locale });
  }

  get theme() {
    return read().theme;
  }

  set theme(theme) {
    write({ theme });
  }

  /** @param {() => void} act called when another tab has changed what is kept */
  onChangeElsewhere(act) {
    addEventListener("storage", (event) => event.key === KEY && act());
  }
}
