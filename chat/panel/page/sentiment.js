/** The customer's mood: a mark beside a word, and how it went over the conversation. */

import { make } from "./element.js";

/** From good to bad, as the engine writes them. */
export const SENTIMENTS = ["positive", "neutral", "negative", "angry"];

/** @param {string | null} mood */
export function sentimentMark(mood) {
  const known = mood ?? "unknown";
  return make("span", { class: `mood ${known}`, role: "img", "aria-label": mood ? `mood: ${mood}` : "mood unknown", title: known });
}

/** A line over the conversation; the same in words for those who do not see it. @param {string[]} moods */
export function sentimentCurve(moods) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const step = moods.length > 1 ? 190 / (moods.length - 1) : 0;
  const at = (mood, index) => [moods.length > 1 ? 5 + index * step : 100, 6 + SENTIMENTS.indexOf(mood) * 11];
  svg.setAttribute("viewBox", "0 0 200 45");
  svg.setAttribute("class", "curve");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Mood over time: ${moods.join(", ")}`);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  line.setAttribute("points", moods.map((mood, index) => at(mood, index).join(",")).join(" "));
  svg.append(line, ...moods.map((mood, index) => dot(...at(mood, index), mood)));
  return svg;
}

function dot(x, y, mood) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  for (const [name, value] of Object.entries({ cx: x, cy: y, r: 4, class: mood })) node.setAttribute(name, String(value));
  return node;
}
