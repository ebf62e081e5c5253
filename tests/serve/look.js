// Texts that cannot be read whole: cut off without an ellipsis and a title, run out of a box that is drawn, or off the page.
(() => {
  const wrong = [];
  const told = (what, element, text) => wrong.push(`${what}: "${text.trim().slice(0, 60)}" in ${element.outerHTML.replace(/\s+/g, " ").slice(0, 120)}`);
  const within = document.querySelector("dialog[open]") ?? document.body;
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".unseen");
  const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !seen(element) || element.closest("option, datalist, script, style, noscript, textarea")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { left, right, top, bottom } = range.getBoundingClientRect();
    let cut = false;
    for (let box = element; box && box !== document.documentElement; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (style.display === "inline" || style.display === "contents") continue;
      if (["auto", "scroll"].includes(style.overflowY) || ["auto", "scroll"].includes(style.overflowX)) {
        cut = true;
        break;
      }
      // Where it stands is not where its row is.
      if (style.position === "sticky") {
        cut = true;
        break;
      }
      const rect = box.getBoundingClientRect();
      const across = right > rect.right + 1.5 || left < rect.left - 1.5;
      const along = bottom > rect.bottom + 3 || top < rect.top - 3;
      const room = rect.width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      if (style.textOverflow === "ellipsis" && (across || right - left > room + 1.5)) {
        if (!box.closest("[title]")?.title) told("cut without a title", box, node.data);
        cut = true;
        break;
      }
      if (!across && !along) {
        if (style.position === "fixed" || style.position === "absolute") break;
        continue;
      }
      cut = true;
      told(across ? "runs out sideways" : "runs out below or above", box, node.data);
      break;
    }
    if (!cut && (right > innerWidth + 1 || left < -1)) told("off the page", element, node.data);
  }
  const measure = document.createElement("canvas").getContext("2d");
  for (const field of within.querySelectorAll("input[placeholder]")) {
    if (!seen(field) || field.value) continue;
    const style = getComputedStyle(field);
    measure.font = `${style.fontSize} ${style.fontFamily}`;
    const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (measure.measureText(field.placeholder).width > room + 1) told("placeholder cut", field, field.placeholder);
  }
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`the page is ${document.documentElement.scrollWidth - innerWidth} px too wide`);
  return wrong;
})()
