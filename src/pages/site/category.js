// What a ticket is about, as the office's tree has it: one types any words of a path, or its code, and takes a leaf with Enter.

import { ask } from "/ask.js";
import { make, setText } from "/dom.js";
import { t } from "/words.js";

/** Of what fits; who sees more than this types on. */
const SHOWN = 50;
const RECENT = 8;
/** The tree and the departments, once they could be asked for. */
let known = null;
/** Codes that were taken in this window, latest first. */
let recent = [];

/** `{leaves, departments}`; empty where tickets are not classified, `null`: not known now. `anew`: they may be others by now. */
export async function tree(anew = false) {
  const found = known && !anew ? null : await ask("/v1/categories");
  if (found?.ok) known = { leaves: found.body.categories.filter((one) => one.leaf).map(searched), departments: found.body.departments };
  return known;
}

const words = (text) => text.toLowerCase().split(/[\s/]+/).filter(Boolean);
const searched = (leaf) => ({ ...leaf, name: leaf.path.at(-1).toLowerCase(), all: [...leaf.path, leaf.department ?? ""].join(" ").toLowerCase() });
const shown = (path) => path.join(" / ");

/** Leaves that have every word somewhere; whose own name has them before others. Without words: what it is, what was taken lately, all others. */
function fitting(leaves, typed, is) {
  const asked = words(typed);
  if (asked.length === 0) {
    const near = [...new Set([is, ...recent])].map((code) => leaves.find((leaf) => leaf.code === code)).filter(Boolean);
    return [...near, ...leaves.filter((leaf) => !near.includes(leaf))];
  }
  const rank = (leaf) => {
    const bare = leaf.code.replaceAll(".", "").toLowerCase();
    if (asked.length === 1 && [leaf.code.toLowerCase(), bare].some((code) => code.startsWith(asked[0]))) return 0;
    if (!asked.every((word) => leaf.all.includes(word))) return null;
    return leaf.name.startsWith(asked[0]) ? 1 : asked.every((word) => leaf.name.includes(word)) ? 2 : 3;
  };
  return [0, 1, 2, 3].flatMap((wanted) => leaves.filter((leaf) => rank(leaf) === wanted));
}

export class Category {
  #leaves;
  #chose;
  /** `{code, path}` of the ticket. */
  #is = null;
  #fits = [];
  #at = -1;
  #moved = false;

  /** `chose(code)`. */
  constructor(leaves, chose) {
    this.#leaves = leaves;
    this.#chose = chose;
    this.list = make("ul", { id: "category-list", role: "listbox", "aria-label": t("category"), hidden: true, onmousedown: (event) => this.#clicked(event) });
    this.more = make("p", { class: "more", role: "status", hidden: true });
    this.input = make("input", {
      id: "category", role: "combobox", autocomplete: "off", maxlength: 100, placeholder: t("category_hint"), "aria-autocomplete": "list", "aria-controls": "category-list", "aria-expanded": "false",
      oninput: (event) => event.isComposing || this.#open(), oncompositionend: () => this.#open(), onkeydown: (event) => this.#key(event),
      onclick: () => this.list.hidden && (this.input.select(), this.#open("")), onblur: () => this.#shut(),
    });
    this.element = make("div", { class: "category" }, make("label", { for: "category" }, t("category")), this.input, make("div", { class: "fits" }, this.list, this.more));
  }

  set disabled(is) {
    this.input.disabled = is;
  }

  /** The ticket's; while somebody is choosing another, later. */
  show(category) {
    this.#is = category;
    if (this.list.hidden) this.#put();
  }

  /** One that was taken and is not saved yet. */
  showCode(code) {
    const leaf = this.#leaves.find((one) => one.code === code);
    if (leaf) this.show(leaf);
  }

  #put() {
    this.input.value = this.#is ? shown(this.#is.path) : "";
    this.input.title = this.input.value;
  }

  #open(typed = this.input.value) {
    this.#moved = false;
    this.#fits = fitting(this.#leaves, typed, this.#is?.code);
    const rest = this.#fits.length - SHOWN;
    this.#fits.length = Math.min(this.#fits.length, SHOWN);
    this.list.replaceChildren(...this.#fits.map((leaf, n) => make("li", { id: `category-${n}`, role: "option", "aria-selected": "false", "data-n": n },
      make("span", { class: "above" }, leaf.path.slice(0, -1).map((name) => `${name} /`).join(" ")), make("strong", {}, leaf.path.at(-1)), make("span", { class: "code" }, leaf.code))));
    setText(this.more, this.#fits.length === 0 ? t("category_none") : rest > 0 ? t("category_more", { n: rest }) : "");
    this.more.hidden = this.more.textContent === "";
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.#point(this.#fits.length ? 0 : -1);
  }

  #shut() {
    this.list.hidden = this.more.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.#put();
  }

  #point(at) {
    this.list.children[this.#at]?.setAttribute("aria-selected", "false");
    this.#at = at;
    const option = this.list.children[at];
    if (!option) return this.input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }

  #take(leaf) {
    recent = [leaf.code, ...recent.filter((code) => code !== leaf.code)].slice(0, RECENT);
    const other = this.#is?.code !== leaf.code;
    this.#is = leaf;
    this.#shut();
    if (other) this.#chose(leaf.code);
  }

  #key(event) {
    // What an input method is composing of is not for us.
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const [open, last] = [!this.list.hidden, this.#fits.length - 1];
    const to = { ArrowDown: open ? Math.min(this.#at + 1, last) : 0, ArrowUp: open ? Math.max(this.#at - 1, 0) : 0, PageDown: Math.min(this.#at + 8, last), PageUp: Math.max(this.#at - 8, 0) }[event.key];
    if (to !== undefined) {
      if (!open) this.#open(this.#is ? "" : this.input.value);
      else this.#point(to);
      this.#moved = open;
    } else if (event.key === "Enter") {
      if (!open) this.#open("");
      else if (this.#fits[this.#at]) this.#take(this.#fits[this.#at]);
    } else if (event.key === "Escape" && open) {
      this.#shut();
    } else if (event.key === "Tab" && open && (this.#moved || this.#fits.length === 1) && this.#fits[this.#at]) {
      return this.#take(this.#fits[this.#at]);
    } else {
      return;
    }
    event.preventDefault();
  }

  #clicked(event) {
    // The field keeps the focus.
    event.preventDefault();
    const leaf = this.#fits[event.target.closest("[role=option]")?.dataset.n];
    if (leaf) this.#take(leaf);
  }
}
