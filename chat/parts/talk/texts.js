/** The interface's words in the chosen language, and the dates and times written its way. */

export class Texts {
  /** @param {Record<string, object>} locales strings by locale @param {string | undefined} wanted an earlier choice */
  constructor(locales, wanted) {
    this.locales = locales;
    this.locale = [wanted, ...navigator.languages.map((tag) => tag.split("-")[0])].find((tag) => tag in locales);
    this.use(this.locale ?? Object.keys(locales)[0]);
  }

  /** @param {string} locale */
  use(locale) {
    this.locale = locale;
    document.documentElement.lang = locale === "zh" ? "zh-CN" : locale;
  }

  /** @param {string} key a path such as `errors.unknown` @param {Record<string, string | number>} values */
  say(key, values = {}) {
    const found = key.split(".").reduce((part, name) => part?.[name], this.locales[this.locale]);
    return String(found ?? key).replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all));
  }

  /** @param {string} key @returns {boolean} */
  knows(key) {
    return this.say(key) !== key;
  }

  /** Write every text that the page's own markup names. @param {ParentNode} root */
  fill(root) {
    for (const node of root.querySelectorAll("[data-text]")) node.textContent = this.say(node.dataset.text);
    for (const node of root.querySelectorAll("[data-placeholder]")) node.placeholder = this.say(node.dataset.placeholder);
    for (const node of root.querySelectorAll("[data-label]")) {
      const label = this.say(node.dataset.label);
      node.setAttribute("aria-label", label);
      if (node.matches("button")) node.title = label;
    }
  }

  /** @param {string[]} tags BCP 47 tags @returns {string} their names in the chosen language */
  languages(tags) {
    const names = new Intl.DisplayNames([document.documentElement.lang], { type: "language" });
    return new Intl.ListFormat([document.documentElement.lang]).format(tags.map((tag) => names.of(tag) ?? tag));
  }

  /** @param {Date} at */
  time(at) {
    return this.#format(at, { hour: "numeric", minute: "2-digit" });
  }

  /** @param {Date} at today, yesterday, else the date */
  day(at) {
    const days = Math.round((startOfDay(new Date()) - startOfDay(at)) / 86_400_000);
    if (days <= 1) return this.say(days < 1 ? "today" : "yesterday");
    const year = at.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
    return this.#format(at, { weekday: "short", day: "numeric", month: "short", year });
  }

  /** The time on the same day, else the day. @param {Date} at */
  lately(at) {
    if (Date.now() - at.getTime() < 60_000) return this.say("just_now");
    return startOfDay(at) === startOfDay(new Date()) ? this.time(at) : this.day(at);
  }

  /** @param {Date} at @param {Intl.DateTimeFormatOptions} options */
  #format(at, options) {
    return new Intl.DateTimeFormat(document.documentElement.lang, options).format(at);
  }
}

/** @param {Date} at @returns {number} ms */
function startOfDay(at) {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}
