/** The sign-in page. In a popup it hands a token to the side panel that opened it, which gets no cookie where it is. */

import { Api, ROOT } from "./api.js";

const WORDS = {
  wrong_credentials: "This mail address and password do not go together.",
  unknown_account: "You are known there, but no account here is yours. Ask whoever runs this desk.",
  sign_in_failed: "The sign-in was not completed. Please begin again.",
  provider_unavailable: "Your company's sign-in does not answer. Please try again in a moment.",
  unreachable: "The server does not answer. Please try again in a moment.",
};

const query = new URLSearchParams(location.search);
const isPopup = query.has("popup");
const next = query.get("next") === "operator" ? "operator" : "agent";
const api = new Api(null, () => {});
const form = document.querySelector("form");
const wrong = document.querySelector(".wrong");

async function begin() {
  if (query.has("error")) complain({ code: query.get("error") });
  form.addEventListener("submit", signIn);
  if (!query.has("error") && (await isSignedIn())) return done();
  await offer();
}

async function isSignedIn() {
  return api.get("session").then(() => true, () => false);
}

/** Show the ways that there are. */
async function offer() {
  const ways = await api.get("session/ways").catch(() => ({ password: true, oidc: null }));
  form.hidden = !ways.password;
  const provider = document.querySelector(".provider");
  if (ways.oidc) {
    provider.href = new URL(isPopup ? "agent/oidc?popup=1" : `agent/oidc?next=${next}`, ROOT).href;
    provider.textContent = `Sign in with ${ways.oidc}`;
  }
  provider.hidden = document.querySelector(".either").hidden = !ways.oidc;
  form.elements.login.focus();
}

async function signIn(event) {
  event.preventDefault();
  const submit = form.querySelector("button");
  submit.disabled = true;
  wrong.hidden = true;
  try {
    await api.post("session", { login: form.elements.login.value, password: form.elements.password.value });
    await done();
  } catch (problem) {
    complain(problem);
    form.elements.password.value = "";
    form.elements.password.focus();
  } finally {
    submit.disabled = false;
  }
}

async function done() {
  if (!isPopup) return location.replace(new URL(next, ROOT));
  const { token } = await api.post("session/panel");
  // Nobody but a page of our own origin hears this.
  window.opener?.postMessage({ type: "pindesk.token", token }, location.origin);
  window.close();
}

function complain({ code, retryAfterS, message }) {
  const later = `Too many attempts. Try again in ${Math.ceil((retryAfterS || 60) / 60)} min.`;
  wrong.textContent = code === "too_many_requests" ? later : (WORDS[code] ?? message ?? WORDS.sign_in_failed);
  wrong.hidden = false;
}

begin();
