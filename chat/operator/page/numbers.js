/** Numbers as operators read them. */

/** @param {number} number */
export function whole(number) {
  return number.toLocaleString();
}

/** A share of 0 to 1; what is not all is never written as 100 %, nor something as 0 %. @param {number | null} share */
export function percent(share) {
  if (share === null) return "–";
  const exact = share * 100;
  const fine = (exact > 99 && exact < 100) || (exact > 0 && exact < 1);
  const shown = fine ? Math.min(99.9, Math.max(0.1, Math.round(exact * 10) / 10)) : Math.round(exact);
  return `${shown.toLocaleString()}\u202f%`;
}

/** "1 reply", "2 replies". @param {number} number @param {string} one @param {string} [many] */
export function counted(number, one, many = `${one}s`) {
  return `${whole(number)} ${number === 1 ? one : many}`;
}
