/** The two plots, each with what it shows as a table. */

import { bars, lines } from "./chart.js";
import { Plot } from "./plot.js";
import { counted } from "./numbers.js";
import { duration } from "./time.js";

export class Plots {
  constructor() {
    this.talks = new Plot({
      title: "Conversations",
      legend: [["bot", "with the bot alone"], ["human", "handed off"]],
      columns: ["Conversations", "Handed off"],
      cells: (slot) => [String(slot.conversations), String(slot.handed_off)],
      words: (slot) => `${counted(slot.conversations, "conversation")}, ${slot.handed_off} handed off`,
      top: (slot) => slot.conversations,
      least: 4,
      steps: (value) => String(value),
      isWhole: true,
      draw: bars,
    });
    this.times = new Plot({
      title: "Time to first text",
      legend: [["median", "median"], ["p95", "p95"]],
      columns: ["Median", "p95", "Replies"],
      cells: ({ first_text: first }) => (first ? [duration(first.median_ms), duration(first.p95_ms), String(first.count)] : ["–", "–", "0"]),
      words: ({ first_text: first }) => (first ? `median ${duration(first.median_ms)}, p95 ${duration(first.p95_ms)}, ${counted(first.count, "reply", "replies")}` : "no reply"),
      top: ({ first_text: first }) => first?.p95_ms ?? 0,
      least: 400,
      steps: (value) => (value ? duration(value) : "0"),
      draw: lines,
    });
    this.element = document.createElement("div");
    this.element.className = "plots";
    this.element.append(this.talks.element, this.times.element);
  }

  /** @param {object} told @param {string} zone the time zone that the days are in */
  show(told, zone) {
    const begun = told.slots.filter(({ begins }) => begins <= told.at).length;
    this.talks.show(told.slots, begun, zone);
    this.times.show(told.slots, begun, zone);
  }
}
