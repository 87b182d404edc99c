/** What is known of the customer and of how the conversation went. */

import { make } from "./element.js";
import { SENTIMENTS, sentimentCurve } from "./sentiment.js";
import { ago } from "./time.js";

export class Details {
  constructor() {
    this.element = make("div", { class: "details" });
  }

  /** @param {object} view the agent's view of a conversation */
  show(view) {
    const moods = view.messages.map(({ sentiment }) => sentiment).filter((mood) => SENTIMENTS.includes(mood));
    this.element.replaceChildren(
      part("Mood", moods.length ? [sentimentCurve(moods), make("p", { class: "soft" }, `Now ${moods.at(-1)}`)] : [none("Not known yet.")]),
      part("Promised", view.promises.length ? [make("ul", { class: "promises" }, ...view.promises.map(promise))] : [none("Nothing.")]),
      part("Customer", [make("dl", {}, ...customer(view))]),
    );
  }
}

function part(title, children) {
  return make("section", { class: "part" }, make("h3", {}, title), ...children);
}

function none(words) {
  return make("p", { class: "soft" }, words);
}

function promise({ text }) {
  return make("li", { dir: "auto" }, text);
}

function customer(view) {
  const rows = {
    "signed in as": view.subject,
    "reach by": view.contact,
    site: view.site,
    language: view.locale,
    since: ago(view.created_at),
    rating: view.rating && `${view.rating.score} of 5${view.rating.comment ? `: ${view.rating.comment}` : ""}`,
    texts: `${view.pack} ${view.pack_version.slice(0, 7)}`,
    conversation: view.id,
  };
  return Object.entries(rows)
    .filter(([, value]) => value)
    .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { dir: "auto" }, value)));
}
