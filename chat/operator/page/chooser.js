/** Which days and which site; kept in the address, so that a reload and a link show the same. */

import { make } from "./element.js";

const PERIODS = { today: "Today", "7d": "7 days", "30d": "30 days" };

export class Chooser {
  /** @param {() => void} onChange */
  constructor(onChange) {
    const asked = new URLSearchParams(location.search);
    this.period = Object.hasOwn(PERIODS, asked.get("period")) ? asked.get("period") : "today";
    this.site = asked.get("site") ?? "";
    this.select = make("select", { "aria-label": "Site", class: "site", on: { change: () => this.#choose({ site: this.select.value }) } });
    this.onChange = onChange;
    this.element = make("form", { class: "chooser", on: { submit: (event) => event.preventDefault() } }, this.#periods(), this.select);
    this.show([]);
  }

  get chosen() {
    return { period: this.period, site: this.site };
  }

  /** @param {{key: string, name: string}[]} sites */
  show(sites) {
    const options = [{ key: "", name: "All sites" }, ...sites];
    if (this.site && !sites.some(({ key }) => key === this.site)) options.push({ key: this.site, name: this.site });
    const written = JSON.stringify(options);
    if (written === this.written) return;
    this.written = written;
    this.select.replaceChildren(...options.map(({ key, name }) => make("option", { value: key }, name)));
    this.select.value = this.site;
  }

  /** The site of the address is none of ours. */
  forgetSite() {
    this.site = "";
    this.#keep();
    this.show([]);
  }

  #periods() {
    const group = make("fieldset", { class: "periods" }, make("legend", { class: "unseen" }, "Period"));
    for (const [period, label] of Object.entries(PERIODS)) {
      const radio = make("input", { type: "radio", name: "period", value: period, checked: period === this.period, on: { change: () => this.#choose({ period }) } });
      group.append(make("label", {}, radio, make("span", {}, label)));
    }
    return group;
  }

  #choose(choice) {
    Object.assign(this, choice);
    this.#keep();
    this.onChange();
  }

  #keep() {
    const address = new URL(location.href);
    for (const name of ["period", "site"]) {
      if (this[name] && this[name] !== "today") address.searchParams.set(name, this[name]);
      else address.searchParams.delete(name);
    }
    history.replaceState(null, "", address);
  }
}
