/** Keeps the newest line in sight for a reader who is at the end, and leaves everybody else where they read. */

const NEAR_PX = 80;
/** How long after a wheel, finger, key or press a scroll is the reader's own. */
const LED_MS = 1000;
const LEADS = ["wheel", "touchmove", "pointerdown", "keydown"];

export class Scroll {
  /** @param {HTMLElement} box @param {HTMLElement} content @param {HTMLElement} latest the button that leads to the end */
  constructor(box, content, latest) {
    this.box = box;
    this.latest = latest;
    this.atEnd = true;
    this.top = 0;
    this.ledAt = -LED_MS;
    for (const kind of LEADS) box.addEventListener(kind, () => (this.ledAt = performance.now()), { passive: true });
    box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const grown = new ResizeObserver(() => this.#follow());
    grown.observe(content);
    grown.observe(box);
  }

  /** Go to the end now and stay there. */
  toEnd() {
    this.atEnd = true;
    this.#follow();
  }

  /** The browser scrolls by itself where a line goes or the text field is measured: that leads nobody away. */
  #scrolled() {
    const isLed = performance.now() - this.ledAt < LED_MS;
    if (isLed) this.#look();
    else this.#follow();
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
