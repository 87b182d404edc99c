/** The agent panel: the queue beside the conversation that is open. */

import { Alerts } from "./alerts.js";
import { Api, API, ROOT } from "./api.js";
import { Conversation } from "./conversation.js";
import { button, icon, iconButton, make } from "./element.js";
import { Keys } from "./keys.js";
import { Queue } from "./queue.js";
import { QueueList } from "./queue_list.js";
import { Tail } from "./tail.js";

const LOUD = "M4 8h3l4-3.5v11L7 12H4zM13.5 7a4 4 0 010 6M15.5 5a7 7 0 010 10";
const MUTE = "M4 8h3l4-3.5v11L7 12H4zM14 8l4 4M18 8l-4 4";
const KEYBOARD = "M3 5.5h14v9H3zM6 8.5h.01M9 8.5h.01M12 8.5h.01M15 8.5h.01M6.5 11.5h7";
const FIGURES = "M4 16V9M9 16V4M14 16v-5M3 16.5h14";
const LEAVE = "M8 4H4v12h4M8 10h9M13.5 6.5L17 10l-3.5 3.5";

class Panel {
  constructor(api, me) {
    this.api = api;
    this.me = me;
    this.keys = new Keys();
    this.alerts = new Alerts();
    this.queue = new Queue(api, me);
    this.list = new QueueList(this.queue, (id, focus) => this.open(id, focus));
    this.stage = make("section", { class: "stage", "aria-label": "Conversation" });
    this.status = make("p", { class: "status", role: "status" });
    this.desk = make("main", { class: "panel" }, make("h1", { class: "unseen" }, "Agent panel"), this.#side(), this.stage);
    this.queue.addEventListener("alert", () => this.alerts.ring());
    this.queue.addEventListener("change", () => this.alerts.badge(this.queue.waiting));
  }

  async start() {
    document.body.replaceChildren(this.desk, this.keys.dialog);
    this.#bindKeys();
    this.#showEmpty();
    addEventListener("popstate", () => this.#followAddress());
    this.#follow();
    await this.queue.load();
    await this.#followAddress();
  }

  /** @param {string} id @param {boolean} [focus] */
  async open(id, focus = true) {
    if (this.conversation?.id === id) return focus && this.conversation.focus();
    this.conversation?.leave();
    this.conversation = new Conversation(this.api, this.me, id, this.keys, () => this.close());
    this.list.select(id);
    this.desk.dataset.open = "";
    const address = new URL(location.href);
    address.searchParams.set("conversation", id);
    if (address.href !== location.href) history.pushState(null, "", address);
    this.stage.replaceChildren(this.conversation.element);
    const opened = this.conversation;
    const before = document.activeElement;
    await opened.start();
    // Whoever has gone elsewhere meanwhile is left there.
    if (focus && opened === this.conversation && document.activeElement === before) opened.focus();
  }

  close() {
    this.conversation?.leave();
    this.conversation = undefined;
    delete this.desk.dataset.open;
    const address = new URL(location.href);
    address.searchParams.delete("conversation");
    history.pushState(null, "", address);
    this.#showEmpty();
    this.list.select(null);
    this.list.focus();
  }

  async #followAddress() {
    const id = new URLSearchParams(location.search).get("conversation");
    if (id) await this.open(id, false);
    else if (this.conversation) this.close();
  }

  /** The push: from now on, each conversation of the queue that changed. After a break the list is read anew. */
  #follow() {
    const tail = new Tail(
      new URL("agent/events", API).href,
      this.api.token,
      ({ kind, payload }) => {
        this.queue.hear(kind, payload);
        // A rating, say, is no event of the conversation's own log.
        if (payload.id === this.conversation?.id) this.conversation.readSoon();
      },
      (state, status) => this.#connection(state, status),
    );
    tail.start();
  }

  #connection(state, status) {
    if (state === "refused" && status === 401) return this.api.onSignedOut();
    if (state === "live" && this.wasLost) this.queue.load();
    this.wasLost = state === "lost" || (this.wasLost && state === "connecting");
    this.status.textContent = this.wasLost ? "Connection lost. Trying again…" : "";
    this.desk.classList.toggle("lost", this.wasLost);
  }

  #side() {
    this.sound = iconButton("", "", () => this.#toggleSound());
    this.#showSound();
    const tools = make(
      "div",
      { class: "tools" },
      this.sound,
      iconButton(KEYBOARD, "Keyboard shortcuts (?)", () => this.keys.show()),
      this.me.roles.includes("operator") && make("a", { class: "tool", href: new URL("operator", ROOT).href, title: "Operator page", "aria-label": "Operator page" }, icon(FIGURES)),
      iconButton(LEAVE, "Sign out", () => this.#signOut()),
    );
    const head = make("header", { class: "side-head" }, make("div", {}, make("p", { class: "name", "aria-hidden": "true" }, "Agent panel"), make("p", { class: "me", dir: "auto" }, this.me.name)), tools);
    return make("div", { class: "side" }, head, this.status, this.list.element);
  }

  #toggleSound() {
    this.alerts.toggle();
    this.#showSound();
  }

  #showSound() {
    const label = this.alerts.isOn ? "Sound is on (m)" : "Sound is off (m)";
    this.sound.title = label;
    this.sound.setAttribute("aria-label", label);
    this.sound.setAttribute("aria-pressed", String(this.alerts.isOn));
    this.sound.querySelector("path").setAttribute("d", this.alerts.isOn ? LOUD : MUTE);
  }

  #showEmpty() {
    const open = button("Open the first", () => this.list.openFirst(), { class: "pill" });
    this.stage.replaceChildren(
      make("div", { class: "nothing" }, make("p", {}, "Choose a conversation."), open, make("p", { class: "soft" }, "Press ? for the keyboard.")),
    );
  }

  async #signOut() {
    await this.api.call("DELETE", "session").catch(() => {});
    this.api.onSignedOut();
  }

  #bindKeys() {
    this.keys.group("Queue", {
      j: ["Next conversation", () => this.list.move(1)],
      k: ["Previous conversation", () => this.list.move(-1)],
      "]": ["Next tab", () => this.list.turn(1)],
      "[": ["Previous tab", () => this.list.turn(-1)],
      "/": ["Search", () => this.list.search.focus()],
      m: ["Sound on or off", () => this.#toggleSound()],
    });
    this.keys.group("Conversation", {
      t: ["Take over", () => this.conversation?.takeOver()],
      r: ["Write", () => this.conversation?.write()],
      "Ctrl+Enter": ["Send"],
      h: ["Hand back to the bot", () => this.conversation?.handBack()],
      e: ["End the conversation", () => this.conversation?.end()],
      s: ["Suggest replies", () => this.conversation?.assist.suggest()],
      "1": ["Insert the first suggestion", () => this.conversation?.assist.insert(0)],
      "2": ["Insert the second suggestion", () => this.conversation?.assist.insert(1)],
      "3": ["Insert the third suggestion", () => this.conversation?.assist.insert(2)],
      "Alt+1": ["Insert while writing, also Alt+2, Alt+3"],
      u: ["Sum up", () => this.conversation?.assist.sumUp()],
      w: ["Trace of the last reply", () => this.conversation?.showTrace()],
      Escape: ["Back to the queue", () => this.conversation && this.close()],
    });
  }
}

async function begin() {
  const leave = () => location.replace(new URL("agent/login", ROOT));
  const api = new Api(null, leave);
  try {
    const me = await api.get("session");
    if (!me.roles.includes("agent")) return showStranger(me, leave);
    await new Panel(api, me).start();
  } catch (problem) {
    if (problem.status !== 401) showTrouble(problem);
  }
}

function showStranger(me, leave) {
  const out = button("Sign out", () => new Api(null, leave).call("DELETE", "session").then(leave), { class: "pill" });
  const figures = me.roles.includes("operator") && make("a", { class: "solid", href: new URL("operator", ROOT).href }, "To the operator page");
  document.body.replaceChildren(make("main", { class: "door" }, make("h1", {}, "Agent panel"), make("p", {}, `${me.name} is no agent: ask for the role.`), figures, out));
}

function showTrouble(problem) {
  const again = button("Try again", () => location.reload(), { class: "pill" });
  document.body.replaceChildren(make("main", { class: "door" }, make("h1", {}, "Agent panel"), make("p", {}, problem.message), again));
  if (problem.status === undefined) throw problem;
}

begin();
