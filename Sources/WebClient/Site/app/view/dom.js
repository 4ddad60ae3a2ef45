/** Small helpers to build the page. Text always goes in as text. */

export const $ = (id) => document.getElementById(id);

/** An element with properties, and children that are elements or strings. */
export function element(tag, properties = {}, ...children) {
  const { dataset, attributes, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  Object.assign(node.dataset, dataset ?? {});
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';

/** One of the page's symbols, for the eye only. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(button, name) {
  button.querySelector('use').setAttribute('href', `#i-${name}`);
}

/** A drawing of one path in a square. */
export function drawing(path, side) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${side} ${side}`);
  svg.setAttribute('shape-rendering', 'crispEdges');
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/** Changes a text only where it is another one, so that screen readers don't repeat it. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The first letter of a name, as people see letters. */
export function initial(name) {
  const [first] = typeof Intl.Segmenter === 'function'
    ? Array.from(new Intl.Segmenter().segment(name), (part) => part.segment)
    : Array.from(name);
  return (first ?? '?').toLocaleUpperCase();
}

/** A colour that stays with a person: a hue in degrees. */
export function hue(id) {
  let hash = 0;
  for (const character of id) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return (hash % 12) * 30;
}

/** Says something to screen readers once. */
export function announce(text) {
  const announcer = $('announcer');
  announcer.replaceChildren(element('span', {}, text));
}
