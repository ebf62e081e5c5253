// The rows of a table that changes: each keeps its element, so that what is being read, pointed at or focused stays.

import { make, setText } from "/dom.js";

export class Rows {
  #body;
  #make;
  #rows = new Map();

  /** `fill(cells, item)` sets each cell; `head`: the first cell is the row's heading. */
  constructor(body, columns, fill, { head = true, row = {} } = {}) {
    this.#body = body;
    this.#make = (key, item) => {
      const cells = Array.from({ length: columns }, (_, n) => (head && n === 0 ? make("th", { scope: "row" }) : make("td")));
      const attributes = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === "function" && name.startsWith("on") ? (event) => value(event, key) : value]));
      return { element: make("tr", { "data-key": key, ...attributes }, cells), cells, item };
    };
    this.fill = fill;
  }

  /** `items` in order, each with its `key(item)`. */
  show(items, key) {
    const next = new Map();
    for (const item of items) {
      const row = this.#rows.get(key(item)) ?? this.#make(key(item), item);
      row.item = item;
      this.fill(row.cells, item, row.element);
      next.set(key(item), row);
    }
    for (const [gone, row] of this.#rows) if (!next.has(gone)) row.element.remove();
    this.#rows = next;
    // Only what is out of place is moved: a moved element loses the focus.
    let place = this.#body.firstElementChild;
    for (const { element } of next.values()) {
      if (element === place) place = place.nextElementSibling;
      else this.#body.insertBefore(element, place);
    }
  }

  /** Again with what is there: times go on. */
  tick() {
    for (const row of this.#rows.values()) this.fill(row.cells, row.item, row.element);
  }

  element(key) {
    return this.#rows.get(key)?.element;
  }
}

/** So long a text may be cut where there is little room: pointing at it shows the whole. */
const LONG = 8;

/** A cell's text, and a class if something is to be noticed. */
export function cell(element, text, kind = "") {
  setText(element, text);
  const title = text.length > LONG ? text : "";
  if (element.title !== title) element.title = title;
  if (element.className !== kind) element.className = kind;
}
