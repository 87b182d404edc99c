/**
 * Pindesk's loader, the one script of a website that has the chat. It draws the launcher where the site's styles do not
 * reach, makes the frame when it is first opened, and keeps in the site's own storage what the frame must not lose.
 *
 *   <script async src="https://chat.example/widget.js" data-site="KEY"></script>
 *   (window.Pindesk ||= []).push(["open"])   // before or after it has loaded; afterwards also Pindesk.open()
 */
(() => {
  const early = window.Pindesk;
  // The site swapped its page and ran its scripts again: we are here already.
  if (early && !Array.isArray(early)) return;
  const script = document.currentScript ?? document.querySelector("script[data-site][src*='widget.js']");
  const { site, locale, theme: scheme, position } = script.dataset;
  const base = new URL(".", script.src);
  const key = `pindesk:${site}`;
  const words = {
    en: ["Open the chat", "Close the chat", "unread", "The chat cannot be shown here."],
    zh: ["打开聊天", "关闭聊天", "条未读", "此处无法显示聊天。"],
    ar: ["افتح المحادثة", "أغلق المحادثة", "غير مقروءة", "لا يمكن عرض المحادثة هنا."],
  };
  const icons = { false: "M5 20l1-4a7 7 0 1 1 3.500 2.500z", true: "M6 6l12 12M18 6L6 18" };
  const state = { open: false, unread: 0, locale, theme: { scheme, position } };
  const listeners = {};
  let frame, ready, provider;
  let waiting = [];

  // Private windows refuse storage: then the page's own memory serves.
  const shelf = (name) => {
    let memory = {};
    return (change) => {
      try {
        memory = JSON.parse(window[name].getItem(key)) ?? {};
      } catch {}
      if (change) {
        memory = { ...memory, ...change };
        try {
          window[name].setItem(key, JSON.stringify(memory));
        } catch {}
      }
      return memory;
    };
  };
  const local = shelf("localStorage");
  const session = shelf("sessionStorage");

  const emit = (name, detail = {}) => {
    for (const listener of listeners[name] ?? []) {
      try {
        listener(detail);
      } catch (error) {
        console.error(error);
      }
    }
  };

  const host = document.createElement("pindesk-widget");
  const root = host.attachShadow({ mode: "closed" });
  const make = (tag, name, parent) => {
    const node = parent.appendChild(document.createElementNS(`http://www.w3.org/${name ? "1999/xhtml" : "2000/svg"}`, tag));
    if (name) node.className = name;
    return node;
  };
  const panel = make("div", "panel", root);
  const button = make("button", "launcher", root);
  const svg = make("svg", "", button);
  const icon = make("path", "", svg);
  const badge = make("span", "badge", button);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  button.type = "button";

  // A constructed sheet, because the site's own policy may refuse style elements.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { font: 600 13px/1 system-ui, sans-serif; --accent: var(--pindesk-accent, #0f6b5c); --up: var(--pindesk-bottom, 20px); }
    [hidden] { display: none !important; }
    .panel, .launcher { position: fixed; z-index: 2147483000; inset-inline: var(--start, auto) var(--end, 20px); }
    .launcher { bottom: var(--up); width: 60px; height: 60px; border: 0; border-radius: 50%; padding: 0; cursor: pointer;
      color: var(--pindesk-on-accent, oklch(from var(--accent) clamp(0, (0.57 - l) * 999, 1) 0 0)); background-color: var(--accent); box-shadow: 0 2px 6px #0003, 0 10px 28px #0003; transition: scale .18s; }
    .launcher:hover { scale: 1.05; }
    .launcher:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    svg { width: 30px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; vertical-align: middle; }
    .badge { position: absolute; top: -3px; inset-inline-end: -3px; min-width: 12px; padding: 5px; border-radius: 12px; background: #c2261c; color: #fff; }
    .panel { bottom: calc(var(--up) + 76px); width: 400px; max-width: calc(100vw - 40px); height: 680px; max-height: calc(100dvh - 96px - var(--up));
      border-radius: var(--pindesk-radius, 20px); overflow: hidden; background: light-dark(#f7f6f3, #141513);
      box-shadow: 0 0 0 1px #0001, 0 20px 60px #0004; animation: up .2s; }
    iframe { width: 100%; height: 100%; border: 0; color-scheme: normal; }
    p { margin: 0; padding: 45% 32px; text-align: center; font-size: 15px; line-height: 1.5; color: light-dark(#59625c, #a7aea6); }
    p + iframe, iframe:has(+ p) { display: none; }
    @keyframes up { from { opacity: 0; translate: 0 12px; } }
    @media (max-width: 640px) {
      .panel { inset: 0; width: auto; max-width: none; height: 100dvh; max-height: none; border-radius: 0; }
      [aria-expanded=true] { display: none; }
    }
    @media (prefers-reduced-motion) { * { animation: none !important; transition: none !important; } }`);
  root.adoptedStyleSheets = [sheet];

  const say = (index) => {
    const wanted = [state.locale, document.documentElement.lang, ...navigator.languages].map((tag) => tag?.split("-")[0]);
    return words[wanted.find((tag) => Object.hasOwn(words, tag)) ?? "en"][index];
  };
  const show = () => {
    const { open, unread, theme } = state;
    const style = (name, value) => value && host.style.setProperty(name, value, "important");
    // Above whatever the site says of `*` or of strange elements. `all` leaves custom properties alone.
    style("all", "initial");
    style("display", state.hidden ? "none" : "inline");
    style("color-scheme", ["light", "dark"].includes(theme.scheme) ? theme.scheme : "light dark");
    style("--pindesk-accent", theme.accent);
    style("--start", theme.position === "left" && "20px");
    style("--end", theme.position === "left" && "auto");
    panel.hidden = !open;
    icon.setAttribute("d", icons[open]);
    button.setAttribute("aria-expanded", open);
    button.setAttribute("aria-label", say(open ? 1 : 0) + (unread && !open ? ` (${unread} ${say(2)})` : ""));
    badge.textContent = unread > 9 ? "9+" : unread;
    badge.hidden = open || !unread;
  };

  const post = (pindesk, data = {}) => {
    if (ready) frame.contentWindow.postMessage({ ...data, pindesk }, base.origin);
    else waiting.push([pindesk, data]);
  };

  /** The frame does not come: say so, and tell the site's owner where the reason is explained. */
  const trouble = (saw) => {
    if (ready || panel.lastChild !== frame) return;
    make("p", "told", panel).textContent = say(3);
    const help = `${base}widget/check?${new URLSearchParams({ site, page: location.origin, saw })}`;
    console.error("Pindesk: the chat's frame is blocked. Why: " + help);
    emit("error", { code: saw, help });
  };

  const load = () => {
    if (frame) return;
    frame = make("iframe", "frame", panel);
    frame.title = "Chat";
    frame.onload = () => setTimeout(trouble, 4_000, "frame_blocked");
    frame.src = `${base}widget?${new URLSearchParams({ site, origin: location.origin, locale: state.locale ?? "" })}`;
  };

  const theme = () => {
    const style = getComputedStyle(host);
    const own = ["accent", "on-accent", "radius", "font"].map((name) => [name, style.getPropertyValue("--pindesk-" + name)]);
    return { ...Object.fromEntries(own), ...state.theme };
  };

  const heard = {
    ready: () => {
      ready = true;
      post("hello", {
        ...local(),
        now: session(),
        identified: !!provider,
        locale: state.locale,
        theme: theme(),
        shown: state.open,
        focus: state.focus,
      });
      for (const each of waiting.splice(0)) post(...each);
    },
    // Read again before each write, because another tab may have written.
    keep: ({ held = [], gone = [], watch = local().watch, now }) => {
      const named = new Set([...held.map(({ id }) => id), ...gone]);
      const others = [local().conversations ?? []].flat().filter((other) => !named.has(other?.id));
      local({ conversations: [...held, ...others].slice(0, 20), watch });
      session(now);
    },
    close: () => turn(false),
    identity: async () => {
      let token = null;
      try {
        token = await (typeof provider === "function" ? provider() : provider);
      } catch (error) {
        emit("error", { code: "identity_callback", error });
      }
      post("identity", { token });
    },
    unread: ({ count }) => {
      state.unread = count;
      show();
      emit("unread", { count });
    },
    event: ({ name, detail }) => emit(name, detail),
  };
  const hear = ({ origin, source, data }) => {
    if (frame && origin === base.origin && source === frame.contentWindow && Object.hasOwn(heard, data?.pindesk)) heard[data.pindesk](data);
  };
  const refused = ({ blockedURI }) => frame && blockedURI.startsWith(base.origin) && trouble("csp");

  const turn = (open, focus = true) => {
    if (state.open === open) return;
    const within = document.activeElement === host;
    Object.assign(state, { open, focus });
    session({ open });
    if (open) load();
    show();
    post("shown", { shown: open, focus });
    if (open && focus) frame.focus();
    if (!open && within) button.focus();
    emit(open ? "open" : "close");
  };

  const api = {
    open: () => turn(true),
    close: () => turn(false),
    toggle: () => turn(!state.open),
    hide: () => show((state.hidden = true)),
    show: () => show((state.hidden = false)),
    prefill: (text) => post("prefill", { text }),
    send: (text) => {
      turn(true);
      post("send", { text });
    },
    /** @param {string | (() => string | Promise<string>)} given a signed identity, or how to get a fresh one */
    identify: (given) => {
      provider = given;
      if (ready) post("identify");
    },
    /** @param {string} tag */
    setLocale: (tag) => {
      state.locale = String(tag);
      show();
      post("locale", { locale: tag });
    },
    /** @param {{scheme?: "light" | "dark" | "auto", accent?: string, radius?: string, font?: string, position?: "left" | "right"}} given */
    setTheme: (given) => {
      Object.assign(state.theme, given);
      show();
      post("theme", { theme: theme() });
    },
    /** Forget the visitor: call it when they log out. */
    reset: () => {
      turn(false);
      provider = undefined;
      waiting = [];
      local({ conversations: [], watch: false });
      session({ draft: "" });
      heard.unread({ count: 0 });
      if (ready) post("reset");
    },
    /** @returns {() => void} takes the listener away again */
    on: (name, listener) => {
      (listeners[name] ??= new Set()).add(listener);
      if (name === "ready" && window.Pindesk === api) listener({});
      return () => listeners[name].delete(listener);
    },
    push: ([name, ...given]) => api[name](...given),
  };

  button.onclick = api.toggle;
  root.addEventListener("keydown", ({ key }) => key === "Escape" && turn(false));

  // Beside the body, which single-page sites replace: a frame that is moved would load again.
  const attach = () => {
    if (!host.isConnected) document.documentElement.append(host);
    watcher.observe(document.documentElement, { childList: true });
    // `document.open` takes listeners away; adding the same one twice adds it once.
    addEventListener("message", hear);
    document.addEventListener("securitypolicyviolation", refused);
  };
  const watcher = new MutationObserver(attach);
  watcher.observe(document, { childList: true });
  show();
  attach();
  window.Pindesk = api;
  early?.forEach(api.push);
  emit("ready");
  if (session().open) turn(true, false);
  // Somebody may have written meanwhile.
  else if (local().watch) load();
})();
