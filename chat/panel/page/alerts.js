/** A sound and a number in the title, for whoever looks elsewhere. */

const SOUND_OFF = "pindesk.sound.off";

export class Alerts {
  constructor() {
    this.title = document.title;
    this.isOn = remembered(SOUND_OFF) === null;
  }

  toggle() {
    this.isOn = !this.isOn;
    remember(SOUND_OFF, this.isOn ? null : "1");
    if (this.isOn) this.ring();
  }

  /** @param {number} count how many wait */
  badge(count) {
    document.title = count > 0 ? `(${count}) ${this.title}` : this.title;
  }

  /** Two short tones. Browsers allow them once the page has been used. */
  ring() {
    if (!this.isOn) return;
    this.context ??= new AudioContext();
    this.context.resume().then(() => [660, 880].forEach((pitch, at) => this.#tone(pitch, this.context.currentTime + at * 0.14)));
  }

  #tone(pitch, at) {
    const tone = this.context.createOscillator();
    const volume = this.context.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.12, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.25);
    tone.connect(volume).connect(this.context.destination);
    tone.start(at);
    tone.stop(at + 0.3);
  }
}

/** Storage may be forbidden: then nothing is remembered. */
export function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Forbidden.
  }
}
