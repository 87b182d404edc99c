/** What counts as what, in the words of the operator; the store's module of figures says the same in SQL. */

import { make } from "./element.js";

const WORDS = {
  Conversations: "began in the period, and the customer said something.",
  Over: "closed, or nothing has happened for an hour.",
  Resolved: "over, and rated 4 or 5 by the customer; or not rated 1 or 2, no human was called, and every message got a reply.",
  "Handed off": "a human was called, took over, or was left a message.",
  "First text": "from the acceptance of a message until the first visible text of its reply is stored. The median is what half of the replies stay within, p95 what 95 % do.",
  "From cache": "the share of prompt tokens that the engines did not have to compute.",
  "Replies, templates": "of messages that were posted in the period.",
  Suggestions: "shown to agents in the period; edited means sent after a change, not used that the conversation went on before, or that nothing has followed yet.",
};

export function definitions() {
  const rows = Object.entries(WORDS).map(([name, words]) => make("div", {}, make("dt", {}, name), make("dd", {}, words)));
  return make("details", { class: "definitions" }, make("summary", {}, "What counts as what"), make("dl", {}, ...rows));
}
