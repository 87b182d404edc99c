/** Keeps the newest line in sight for a reader who is at the end, and leaves everybody else where they read. */

const NEAR_PX = 80;

export class Scroll {
  /** @param {HTMLElement} box @param {HTMLElement} content @param {HTMLElement} latest the button that leads to the end */
  constructor(box, content, latest) {
    this.box = box;
    this.latest = latest;
    this.atEnd = true;
    this.top = 0;
    box.addEventListener("scroll", () => this.#look(), { passive: true });
    const grown = new ResizeObserver(() => this.#follow());
    grown.observe(content);
    grown.observe(box);
  }

  /** Go to the end now and stay there. */
  toEnd() {
    this.atEnd = true;
    this.#follow();
  }

  /** Only who scrolls up leaves the end: lines that come before the browser tells of a scroll lead nobody away. */
  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    this.atEnd = isNear || (this.atEnd && scrollTop >= this.top);
    this.top = scrollTop;
    this.latest.hidden = this.atEnd;
  }

  #follow() {
    if (this.atEnd) this.box.scrollTop = this.box.scrollHeight;
    this.#look();
  }
}
