/** The website's colours and type, by custom properties; light or dark as it or the system says. */

const PROPERTIES = { accent: ["--brand", "color"], "on-accent": ["--on-brand", "color"], font: ["--type", "font-family"] };

/** @param {Record<string, string | undefined>} theme anything that is no colour or font is passed over */
export function dress(theme = {}) {
  const { style } = document.documentElement;
  style.colorScheme = ["light", "dark"].includes(theme.scheme) ? theme.scheme : "";
  for (const [name, [property, kind]] of Object.entries(PROPERTIES)) {
    const value = theme[name]?.trim();
    if (value && CSS.supports(kind, value)) style.setProperty(property, value);
  }
}
