// Making and changing elements. Text goes in as text only: nothing of a caller's or a ticket's is ever read as HTML.

/** An element: `make("button", { class: "main", onclick: f }, "text", child, ...)`. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null));
  return element;
}

/** Changes a text only if it is another: a screen reader is not told again what it knows. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Said to whoever listens instead of looking. */
export function say(text) {
  setText(document.getElementById("said"), text);
}
