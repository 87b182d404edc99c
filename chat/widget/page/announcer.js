/** Reads what comes to those who listen: a reply that is being written sentence by sentence, everything else whole. */

/** As much of a text as ends a sentence. */
const WHOLE = /^[^]*(?:[.!?؟]["'”’)\]]*(?=\s)|[。！？]["'”’）]*|\n)/;
const MOST = 8;

export class Announcer {
  /** @param {HTMLElement} region polite; whatever is added to it is read */
  constructor(region) {
    this.region = region;
    this.begin(0);
  }

  /** @param {number} seq up to which nothing is news */
  begin(seq) {
    this.seq = seq;
    this.said = new Map();
    this.region.replaceChildren();
  }

  /** @param {import("./fold.js").View} view */
  follow(view) {
    if (view.live) this.#sentences(`reply:${view.live.turn}`, view.live.text, false);
    for (const line of view.lines.filter(({ seq }) => seq > this.seq)) {
      if (line.kind !== "customer") this.#sentences(line.key, line.text, true);
      this.seq = line.seq;
    }
  }

  /** @param {string} key @param {string} text @param {boolean} whole nothing more will come */
  #sentences(key, text, whole) {
    let said = this.said.get(key) ?? "";
    if (!text.startsWith(said)) said = ""; // taken back and begun anew
    const rest = text.slice(said.length);
    const news = whole ? rest : (WHOLE.exec(rest)?.[0] ?? "");
    this.said.set(key, said + news);
    if (news.trim()) this.#say(news.trim());
  }

  #say(text) {
    const node = this.region.appendChild(document.createElement("p"));
    node.textContent = text;
    if (this.region.childElementCount > MOST) this.region.firstChild.remove();
  }
}
