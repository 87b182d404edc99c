/** The transcript as a text file, made here of what is shown. */

/** @param {import("./fold.js").View} view @param {import("./texts.js").Texts} texts @param {string} brand */
export function download(view, texts, brand) {
  const lines = view.lines.filter(({ text }) => text).map((line) => written(line, texts));
  const url = URL.createObjectURL(new Blob([[brand, "", ...lines, ""].join("\n")], { type: "text/plain;charset=utf-8" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: `chat-${view.lines[0].at.slice(0, 10)}.txt` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** @param {import("./line.js").Line} line */
function written({ kind, by, text, at }, texts) {
  const who = by ?? { customer: texts.say("you"), assistant: texts.say("assistant"), agent: texts.say("agent") }[kind];
  return `${new Date(at).toLocaleString(document.documentElement.lang)}  ${who ? `${who}: ` : ""}${text}`;
}
