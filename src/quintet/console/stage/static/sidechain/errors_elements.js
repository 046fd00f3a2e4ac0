// Elements without markup: what people wrote goes in as text only, whatever it looks like.

/** An element with its properties and what is inside it. */
export function h(name, properties = {}, ...inside) {
  const { role, scope, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  if (role) made.setAttribute("role", role);
  if (scope) made.setAttribute("scope", scope);
  made.append(...inside);
  return made;
}

export const option = (value, textContent) => h("option", { value, textContent });

const SVG = "http://www.w3.org/2000/svg";

/** The same of a drawing. */
export function drawn(name, attributes = {}, ...inside) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}
